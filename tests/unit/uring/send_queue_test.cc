#include "netstack/uring/send_queue.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "tests/unit/carrier/carrier_pair.h"

namespace millrace::net::uring {
namespace {

using test::stream_byte;
using test::stream_bytes;

std::vector<std::byte> front(SendBlocks& pool, const SendQueue& queue, std::size_t parts_at_most) {
    std::vector<iovec> parts(parts_at_most);
    std::vector<std::byte> out;
    parts.resize(queue.gather(pool, parts));
    for (const iovec& part : parts) {
        const auto* bytes = static_cast<const std::byte*>(part.iov_base);
        out.insert(out.end(), bytes, bytes + part.iov_len);
    }
    return out;
}

void put(SendBlocks& pool, SendQueue& queue, std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        const auto room = queue.room(pool);
        const std::size_t n = std::min(room.size(), bytes.size());
        ASSERT_GT(n, 0u);
        std::copy_n(bytes.begin(), n, room.begin());
        queue.commit(pool, n);
        bytes = bytes.subspan(n);
    }
}

TEST(UringSendQueue, SmallBytesTakeSmallBlocksAndNoneAtRest) {
    SendBlocks pool;
    ASSERT_TRUE(pool.open({.small = 4, .large = 4, .references = 4}));
    SendQueue queue;
    ASSERT_TRUE(queue.prepare(pool, 20));
    EXPECT_EQ(queue.room(pool).size(), kSmallBlock);
    put(pool, queue, stream_bytes(1, 0, 20));
    queue.consume(pool, 20);
    EXPECT_TRUE(pool.all_free());
    // Prepared and never written to: back with the next flush.
    ASSERT_TRUE(queue.prepare(pool, 20'000));
    EXPECT_FALSE(pool.all_free());
    queue.trim(pool);
    EXPECT_TRUE(pool.all_free());
}

TEST(UringSendQueue, PrepareIsAllOrNothingWhenThePoolIsDry) {
    SendBlocks pool;
    ASSERT_TRUE(pool.open({.small = 1, .large = 2, .references = 1}));
    SendQueue queue;
    const std::size_t all = kSmallBlock + 2 * kLargeBlock;
    EXPECT_FALSE(queue.prepare(pool, all + 1));
    EXPECT_TRUE(pool.all_free());
    ASSERT_TRUE(queue.prepare(pool, all));
    EXPECT_TRUE(queue.prepare(pool, all)) << "it has the room already";
    put(pool, queue, stream_bytes(1, 0, all));
    EXPECT_FALSE(queue.prepare(pool, 1));
    EXPECT_EQ(queue.unsent(), all);
    EXPECT_EQ(front(pool, queue, 8), stream_bytes(1, 0, all));
    queue.clear(pool);
    EXPECT_TRUE(pool.all_free());
}

TEST(UringSendQueue, SharedBytesLiveUntilTheLastHolderIsGone) {
    SendBlocks pool;
    ASSERT_TRUE(pool.open({.small = 2, .large = 2, .references = 4}));
    const auto bytes = stream_bytes(1, 0, kLargeBlock + 10);
    SendQueue one;
    SendQueue other;
    SendQueue third;
    {
        const Shared shared(pool, pool.share(bytes), static_cast<std::uint32_t>(bytes.size()));
        ASSERT_TRUE(one.append(pool, shared));
        ASSERT_TRUE(other.append(pool, shared));
        EXPECT_FALSE(third.append(pool, shared)) << "two blocks need two references";
        EXPECT_EQ(third.unsent(), 0u);
    }
    one.consume(pool, bytes.size());
    EXPECT_EQ(front(pool, other, 4), bytes);
    other.consume(pool, 5);
    EXPECT_EQ(front(pool, other, 4), stream_bytes(1, 5, bytes.size() - 5));
    other.clear(pool);
    EXPECT_TRUE(pool.all_free());
}

TEST(UringSendQueue, ADryPoolGivesNoShared) {
    SendBlocks pool;
    ASSERT_TRUE(pool.open({.small = 1, .large = 1, .references = 1}));
    EXPECT_EQ(pool.share(stream_bytes(1, 0, 2 * kLargeBlock + kSmallBlock)), kNoBlock);
    EXPECT_TRUE(pool.all_free());
}

// Writes, references and partial sends in any mixture keep the stream.
TEST(UringSendQueue, AnyMixtureKeepsTheStream) {
    SendBlocks pool;
    ASSERT_TRUE(pool.open({.small = 64, .large = 64, .references = 64}));
    std::mt19937 random(7);
    SendQueue queue;
    std::uint64_t written = 0;
    std::uint64_t sent = 0;
    for (int step = 0; step < 20'000; ++step) {
        const std::size_t n = 1 + random() % (random() % 3 ? 300 : 40'000);
        const auto bytes = stream_bytes(3, written, n);
        switch (random() % 5) {
            case 0:
            case 1:
                if (!queue.prepare(pool, n)) break;
                put(pool, queue, bytes);
                written += n;
                break;
            case 2: {
                const BlockId first = pool.share(bytes);
                if (first == kNoBlock) break;
                const Shared shared(pool, first, static_cast<std::uint32_t>(n));
                if (queue.append(pool, shared)) written += n;
                break;
            }
            case 3:
                queue.trim(pool);
                break;
            default: {
                const auto out = front(pool, queue, 1 + random() % 8);
                const std::size_t part = out.empty() ? 0 : random() % (out.size() + 1);
                for (std::size_t i = 0; i < part; ++i)
                    ASSERT_EQ(out[i], stream_byte(3, sent + i));
                queue.consume(pool, part);
                sent += part;
            }
        }
        ASSERT_EQ(queue.unsent(), written - sent);
    }
    EXPECT_GT(sent, 1'000'000u);
    queue.clear(pool);
    EXPECT_TRUE(pool.all_free());
}

}  // namespace
}  // namespace millrace::net::uring
