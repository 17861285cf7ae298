#include "engine/deflate/compression.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace millrace::ws {
namespace {

constexpr std::size_t kMaxMessage = 100'000;

struct Connection {
    DeflateState state;
    DeflateParameters parameters;
};

Connection agree(Compression& compression, Role role, DeflateParameters parameters = {}) {
    Connection c{{}, parameters};
    EXPECT_TRUE(compression.agree(c.state, role, c.parameters));
    return c;
}

std::string text_of(std::size_t n) {
    std::string text;
    while (text.size() < n)
        text += "tick ";
    text.resize(n);
    return text;
}

std::size_t compressed_size(Compression& compression, DeflateState& state, std::string text) {
    const std::span<std::byte> part = std::as_writable_bytes(std::span(text));
    return compression.compress(state, std::span(&part, 1), text.size()).size();
}

TEST(Compression, KeepsStreamsOnlyForTakeover) {
    auto compression = Compression::create(64 << 20, kMaxMessage);
    ASSERT_TRUE(compression);
    auto with = agree(*compression, Role::kServer);
    EXPECT_TRUE(with.state.in_takeover && with.state.out_takeover && with.state.agreed());
    auto without = agree(*compression, Role::kServer, {.server_takeover = false, .client_takeover = false});
    EXPECT_EQ(without.state.inflater, InflaterPool::kNone);
    EXPECT_EQ(without.state.deflater, DeflaterPool::kNone);
    EXPECT_TRUE(without.state.agreed());

    ASSERT_NE(compression->inflater(without.state), nullptr);
    EXPECT_NE(without.state.inflater, InflaterPool::kNone);
    compression->message_ended(without.state);
    EXPECT_EQ(without.state.inflater, InflaterPool::kNone);
    compression->message_ended(with.state);
    EXPECT_NE(with.state.inflater, InflaterPool::kNone);
    compression->release(with.state);
    EXPECT_EQ(with.state.inflater, InflaterPool::kNone);
}

// RFC 7692 sections 7.1.1.1 and 7.1.1.2: a server may say no_context_takeover unasked; a client that cannot
// keep what its server sends cannot have the connection.
TEST(Compression, GivesTakeoverUpWhenMemoryIsShort) {
    auto compression = Compression::create(0, kMaxMessage);
    ASSERT_TRUE(compression);
    std::vector<Connection> kept;
    while (kept.empty() || kept.back().parameters.client_takeover || kept.back().parameters.server_takeover) {
        kept.push_back(agree(*compression, Role::kServer));
        ASSERT_LT(kept.size(), 100u);
    }
    // Messages of connections without takeover still find a stream.
    ASSERT_NE(compression->inflater(kept.back().state), nullptr);
    EXPECT_GT(compressed_size(*compression, kept.back().state, text_of(500)), 0u);

    Connection client;
    EXPECT_FALSE(compression->agree(client.state, Role::kClient, client.parameters));
    client.parameters = {.server_takeover = false};
    EXPECT_TRUE(compression->agree(client.state, Role::kClient, client.parameters));
    EXPECT_FALSE(client.state.out_takeover);

    for (Connection& c : kept)
        compression->release(c.state);
    EXPECT_TRUE(agree(*compression, Role::kServer).state.in_takeover);
}

TEST(Compression, ADryPoolRefusesAMessage) {
    auto compression = Compression::create(0, kMaxMessage);
    ASSERT_TRUE(compression);
    std::vector<Connection> busy;
    for (int i = 0; i < 8; ++i) {
        busy.push_back(
            agree(*compression, Role::kServer, {.server_takeover = false, .client_takeover = false}));
        ASSERT_NE(compression->inflater(busy.back().state), nullptr);
    }
    auto late = agree(*compression, Role::kServer, {.server_takeover = false, .client_takeover = false});
    EXPECT_EQ(compression->inflater(late.state), nullptr);
    EXPECT_EQ(compression->refused(), 1u);
    compression->message_ended(busy.front().state);
    EXPECT_NE(compression->inflater(late.state), nullptr);
}

TEST(Compression, SendsSmallMessagesAndThoseThatDoNotShrinkAsTheyAre) {
    auto compression = Compression::create(1 << 20, kMaxMessage);
    ASSERT_TRUE(compression);
    for (const bool takeover : {false, true}) {
        auto c = agree(*compression, Role::kServer, {.server_takeover = takeover});
        EXPECT_EQ(compressed_size(*compression, c.state, text_of(20)), 0u);
        std::string noise(3000, '\0');
        std::uint32_t seed = 1;
        for (char& octet : noise)
            octet = static_cast<char>((seed = seed * 1664525 + 1013904223) >> 24);
        EXPECT_EQ(compressed_size(*compression, c.state, noise), 0u);
        EXPECT_GT(compressed_size(*compression, c.state, text_of(3000)), 0u);
        EXPECT_GT(compressed_size(*compression, c.state, text_of(500)), 0u);
    }
}

// Section 7.2.1: what the peer never got is not referred to.
TEST(Compression, ForgetsWhatWasNotSent) {
    auto compression = Compression::create(1 << 20, kMaxMessage);
    ASSERT_TRUE(compression);
    auto c = agree(*compression, Role::kServer);
    const std::size_t first = compressed_size(*compression, c.state, text_of(500));
    ASSERT_LT(compressed_size(*compression, c.state, text_of(500)), first);
    compression->not_sent(c.state);
    EXPECT_EQ(compressed_size(*compression, c.state, text_of(500)), first);
}

}  // namespace
}  // namespace millrace::ws
