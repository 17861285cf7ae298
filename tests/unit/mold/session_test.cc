#include "engine/mold/session.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

#include "engine/mold/generator.h"

namespace millrace::mold {
namespace {

constexpr Session kSession = {'S', 'E', 'S', 'S', 'I', 'O', 'N', ' ', '0', '1'};

std::vector<std::byte> packet(std::uint64_t sequence, const std::vector<std::string>& messages,
                              std::uint16_t count, const Session& session = kSession) {
    const auto header = encode(Header{session, sequence, count});
    std::vector<std::byte> out(header.begin(), header.end());
    for (const std::string& message : messages) {
        out.push_back(static_cast<std::byte>(message.size() >> 8));
        out.push_back(static_cast<std::byte>(message.size()));
        const auto bytes = std::as_bytes(std::span(message));
        out.insert(out.end(), bytes.begin(), bytes.end());
    }
    return out;
}
std::vector<std::byte> packet(std::uint64_t sequence, const std::vector<std::string>& messages) {
    return packet(sequence, messages, static_cast<std::uint16_t>(messages.size()));
}

class MoldReceiver : public ::testing::Test {
  protected:
    auto keep() {
        return [this](std::uint64_t sequence, std::span<const std::byte> message) {
            heard_ += std::to_string(sequence) +
                      std::string(reinterpret_cast<const char*>(message.data()), message.size());
        };
    }
    void take(const std::vector<std::byte>& bytes) { receiver_.take(bytes, now_, keep()); }
    void turn() { receiver_.turn(now_, keep()); }

    Receiver receiver_;
    Time now_{1s};
    std::string heard_;
};

TEST(Mold, APacketIsAHeaderAndMessagesBehindTheirLengths) {
    const auto bytes = packet(0x0102030405060708, {"ab", "", "c"});
    EXPECT_EQ(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()),
              std::string("SESSION 01\1\2\3\4\5\6\7\10\0\3\0\2ab\0\0\0\1c", 29));
    Header header;
    ASSERT_TRUE(decode(bytes, header));
    EXPECT_EQ(header, (Header{kSession, 0x0102030405060708, 3}));
    std::string heard;
    ASSERT_TRUE(each_message(bytes, header, [&](std::uint64_t sequence, std::span<const std::byte> message) {
        heard += std::to_string(sequence & 0xff) + ":" + std::to_string(message.size()) + " ";
    }));
    EXPECT_EQ(heard, "8:2 9:0 10:1 ");
}

TEST_F(MoldReceiver, MessagesInOrderAreHandedUp) {
    take(packet(1, {"a", "b"}));
    take(packet(3, {"c"}));
    EXPECT_EQ(heard_, "1a2b3c");
    EXPECT_FALSE(receiver_.request(now_));
    EXPECT_EQ(receiver_.next(), 4u);
}

TEST_F(MoldReceiver, WhatIsMissingIsAskedForAndTheRestWaits) {
    take(packet(1, {"a"}));
    take(packet(4, {"d"}));
    take(packet(6, {"f"}));
    EXPECT_EQ(heard_, "1a");
    const auto asked = receiver_.request(now_);
    ASSERT_TRUE(asked);
    EXPECT_EQ(*asked, (Header{kSession, 2, 2}));
    EXPECT_FALSE(receiver_.request(now_));  // not again at once
    take(packet(2, {"b", "c"}));
    EXPECT_EQ(heard_, "1a2b3c4d");
    EXPECT_EQ(*receiver_.request(now_), (Header{kSession, 5, 1}));
    take(packet(5, {"e"}));
    EXPECT_EQ(heard_, "1a2b3c4d5e6f");
    EXPECT_FALSE(receiver_.in_gap());
    EXPECT_EQ(receiver_.counters().requests, 2u);
    EXPECT_EQ(receiver_.counters().lost, 0u);
}

TEST_F(MoldReceiver, AGapIsAskedForSomeTimesAndThenGivenUpAndCounted) {
    take(packet(1, {"a"}));
    take(packet(4, {"d"}));
    for (int i = 0; i < 5; ++i) {
        ASSERT_TRUE(receiver_.request(now_));
        turn();
        EXPECT_EQ(heard_, "1a");
        now_ += 50ms;
    }
    EXPECT_FALSE(receiver_.request(now_));
    turn();
    EXPECT_EQ(heard_, "1a4d");
    EXPECT_EQ(receiver_.counters().lost, 2u);
    take(packet(2, {"b"}));  // too late
    EXPECT_EQ(heard_, "1a4d");
    EXPECT_EQ(receiver_.counters().duplicates, 1u);
}

TEST_F(MoldReceiver, WithNobodyToAskPacketsOutOfOrderHaveAMoment) {
    receiver_ = Receiver({.request = false});
    take(packet(1, {"a"}));
    take(packet(3, {"c"}));
    EXPECT_FALSE(receiver_.request(now_));
    turn();
    EXPECT_EQ(heard_, "1a");
    take(packet(2, {"b"}));
    EXPECT_EQ(heard_, "1a2b3c");
    take(packet(5, {"e"}));
    now_ += 50ms;
    turn();
    EXPECT_EQ(heard_, "1a2b3c5e");
    EXPECT_EQ(receiver_.counters().lost, 1u);
}

TEST_F(MoldReceiver, WhatWaitsHasABound) {
    receiver_ = Receiver({.max_held = 100});
    take(packet(1, {"a"}));
    take(packet(3, {std::string(101, 'x')}));
    turn();
    EXPECT_EQ(receiver_.next(), 4u);
    EXPECT_EQ(receiver_.counters().lost, 1u);
}

TEST_F(MoldReceiver, AHeartbeatTellsOfWhatWasLastAndMissed) {
    take(packet(1, {"a"}));
    take(packet(2, {}, 0));
    EXPECT_FALSE(receiver_.in_gap());
    take(packet(4, {}, 0));
    EXPECT_TRUE(receiver_.in_gap());
    EXPECT_EQ(*receiver_.request(now_), (Header{kSession, 2, 2}));
    take(packet(2, {"b", "c"}));
    EXPECT_EQ(heard_, "1a2b3c");
    EXPECT_FALSE(receiver_.in_gap());
}

TEST_F(MoldReceiver, TheEndOfASessionIsWhenAllBeforeItHasCome) {
    take(packet(1, {"a"}));
    take(packet(3, {}, kEndOfSession));
    EXPECT_FALSE(receiver_.ended());
    EXPECT_EQ(*receiver_.request(now_), (Header{kSession, 2, 1}));
    take(packet(2, {"b"}));
    EXPECT_TRUE(receiver_.ended());
}

TEST_F(MoldReceiver, WhoComesInTheMiddleBeginsThereUnlessMoreIsWanted) {
    take(packet(100, {"x"}));
    EXPECT_EQ(heard_, "100x");
    EXPECT_FALSE(receiver_.in_gap());
    receiver_ = Receiver({.from = 99});
    heard_.clear();
    take(packet(100, {"x"}));
    EXPECT_EQ(*receiver_.request(now_), (Header{kSession, 99, 1}));
    take(packet(98, {"v", "w"}));
    EXPECT_EQ(heard_, "99w100x");
}

TEST_F(MoldReceiver, PacketsThatAreWrongOrOfAnotherSessionChangeNothing) {
    take(packet(1, {"a"}));
    auto cut = packet(2, {"b", "c"});
    cut.pop_back();
    take(cut);
    take(packet(2, {"b"}, 2));
    take(packet(2, {"b", "c"}, 1));
    take(packet(2, {"b"}, 0));
    take(std::vector<std::byte>(19));
    EXPECT_EQ(receiver_.counters().malformed, 5u);
    take(packet(2, {"b"}, 1, {'O', 'T', 'H', 'E', 'R'}));
    EXPECT_EQ(receiver_.counters().strange, 1u);
    EXPECT_EQ(heard_, "1a");
    EXPECT_EQ(receiver_.next(), 2u);
}

// A network that loses, repeats and reorders; a server that answers requests as it can.
TEST_F(MoldReceiver, OverABadNetworkAllArrivesOnceInOrder) {
    itch::Generator generator({.seed = 9, .stocks = 5, .count = 3000});
    std::vector<std::vector<std::byte>> packets, messages;
    std::vector<std::byte> one;
    while (generator.next_packet(one, 300))
        packets.push_back(one);
    itch::Generator again({.seed = 9, .stocks = 5, .count = 3000});
    while (again.next(one))
        messages.push_back(one);
    ASSERT_EQ(messages.size(), 3000u);

    std::mt19937 random(3);
    std::vector<std::vector<std::byte>> arrived, under_way;
    const auto each = [&](std::uint64_t sequence, std::span<const std::byte> message) {
        ASSERT_EQ(sequence, arrived.size() + 1);
        arrived.emplace_back(message.begin(), message.end());
    };
    receiver_ = Receiver({.from = 1, .asked_at_most = 100});
    for (std::size_t sent = 0; !receiver_.ended(); now_ += 1ms) {
        ASSERT_LT(now_.time_since_epoch(), 600s);
        if (sent < packets.size() || random() % 8 == 0) {
            const auto& next = packets[std::min(sent++, packets.size() - 1)];
            for (unsigned copies = random() % 10 == 0 ? 0 : random() % 10 == 1 ? 2 : 1; copies > 0; --copies)
                under_way.push_back(next);
        }
        if (const auto asked = receiver_.request(now_); asked && random() % 3 != 0) {
            std::vector<std::string> found;
            for (std::uint64_t n = asked->sequence; n < asked->sequence + asked->count && found.size() < 4;
                 ++n)
                found.emplace_back(reinterpret_cast<const char*>(messages[n - 1].data()),
                                   messages[n - 1].size());
            under_way.push_back(packet(asked->sequence, found, static_cast<std::uint16_t>(found.size()),
                                       itch::Generator::kSession));
        }
        if (under_way.size() > 5 || (sent >= packets.size() && !under_way.empty())) {
            const std::size_t at = random() % under_way.size();
            receiver_.take(under_way[at], now_, each);
            under_way.erase(under_way.begin() + static_cast<std::ptrdiff_t>(at));
        }
        receiver_.turn(now_, each);
    }
    EXPECT_EQ(arrived, messages);
    EXPECT_EQ(receiver_.counters().lost, 0u);
    EXPECT_GT(receiver_.counters().requests, 10u);
    EXPECT_GT(receiver_.counters().duplicates, 3u);
}

}  // namespace
}  // namespace millrace::mold
