// What the engine relies on, of any two carriers that can reach one another (netstack/carrier.h).

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "tests/unit/carrier/carrier_pair.h"
#include "tests/unit/carrier/dpdk_pair.h"
#include "tests/unit/carrier/secure_pair.h"
#include "tests/unit/carrier/uring_pair.h"

namespace millrace::net::test {
namespace {

template <CarrierPair P>
class CarrierConformance : public ::testing::Test {
  protected:
    using C = typename P::Carrier;

    void open(const PairLimits& limits = {}) {
        pair.emplace(limits);
        server.emplace(pair->server());
        client.emplace(pair->client());
        address = pair->listen();
    }

    bool turn() {
        now = pair->next_time();
        const bool at_server = server->turn(now);
        return client->turn(now) || at_server;
    }

    // Turns both loops until `done`. Fails when nothing has happened for so long that nothing will.
    template <class Done>
    void run_until(Done done) {
        constexpr int kStuck = 10'000'000;
        for (int quiet = 0; !done(); quiet = turn() ? 0 : quiet + 1) {
            if (quiet < kStuck) continue;
            FAIL() << "stuck: no event in " << kStuck << " turns";
        }
    }

    // Turns both loops until nothing more happens by itself.
    void settle() {
        for (int quiet = 0; quiet < 3000;)
            quiet = turn() ? 0 : quiet + 1;
    }

    // A new connection: its two ends' ids.
    std::pair<ConnId, ConnId> join() {
        const std::size_t before = server->accepted.size();
        const ConnId at_client = client->connect(address, now);
        EXPECT_NE(at_client, kNoConn);
        run_until([&] { return server->accepted.size() > before && (*client)[at_client].open; });
        return {server->accepted.empty() ? kNoConn : server->accepted.back(), at_client};
    }

    void send(End<C>& from, ConnId id, std::uint64_t seed, std::size_t n) {
        ASSERT_TRUE(write(from.carrier, id, stream_bytes(seed, 0, n)));
    }

    // Sends `n` bytes from one end; the other must get just these.
    void expect_carried(End<C>& from, ConnId sender, End<C>& to, ConnId receiver, std::uint64_t seed,
                        std::size_t n) {
        to[receiver].received.clear();
        send(from, sender, seed, n);
        run_until([&] { return to[receiver].received.size() >= n; });
        EXPECT_TRUE(is_stream(seed, to[receiver].received, n));
    }

    // Of bytes that the peer has not taken yet; sealed, they are somewhat more.
    static void expect_unsent(std::size_t unsent, std::size_t bytes) {
        if constexpr (requires { P::kSealed; }) {
            EXPECT_GE(unsent, bytes);
            EXPECT_LE(unsent, bytes + 1000);
        } else {
            EXPECT_EQ(unsent, bytes);
        }
    }

    void TearDown() override {
        if (!pair) return;
        EXPECT_EQ(server->strays, 0u);
        EXPECT_EQ(client->strays, 0u);
    }

    std::optional<P> pair;
    std::optional<End<C>> server;
    std::optional<End<C>> client;
    SocketAddress address;
    Time now{};
};

using Pairs = ::testing::Types<UringPair, UringPair6, DpdkPair, DpdkPair6, SecurePairOf<UringPair>,
                               SecurePairOf<DpdkPair>>;
TYPED_TEST_SUITE(CarrierConformance, Pairs);

TYPED_TEST(CarrierConformance, OpensAndNamesThePeer) {
    this->open();
    const auto [s, c] = this->join();
    EXPECT_EQ(this->server->accepted.size(), 1u);
    EXPECT_EQ(this->server->carrier.connections(), 1u);
    EXPECT_EQ(this->client->carrier.connections(), 1u);
    EXPECT_EQ(this->client->carrier.peer(c), this->address);
    EXPECT_NE(this->server->carrier.peer(s).port, 0);
    EXPECT_LT(index(s), this->server->carrier.max_connections());
    this->run_until([&, s = s] { return this->server->carrier.unsent(s) == 0; });
}

TYPED_TEST(CarrierConformance, CarriesBothWays) {
    this->open();
    const auto [s, c] = this->join();
    for (const std::size_t n : {1u, 2u, 125u, 1000u, 1448u, 5000u, 70000u}) {
        this->expect_carried(*this->client, c, *this->server, s, n, n);
        this->expect_carried(*this->server, s, *this->client, c, n + 1, n);
    }
}

TYPED_TEST(CarrierConformance, ReceivedBytesMayBeChangedInPlaceAndKept) {
    this->open();
    const auto [s, c] = this->join();
    std::vector<typename TypeParam::Carrier::Bytes> kept;
    this->server->keep = &kept;
    this->send(*this->client, c, 5, 4000);
    this->run_until([&, s = s] { return (*this->server)[s].received.size() == 4000; });
    for (auto& bytes : kept)
        for (std::byte& b : bytes.bytes())
            b ^= std::byte{0xff};
    // More comes and goes while they are kept.
    this->server->keep = nullptr;
    for (int i = 0; i < 20; ++i)
        this->expect_carried(*this->client, c, *this->server, s, 100 + i, 4000);
    std::size_t offset = 0;
    for (auto& bytes : kept)
        for (const std::byte b : bytes.bytes())
            ASSERT_EQ(b ^ std::byte{0xff}, stream_byte(5, offset++));
    EXPECT_EQ(offset, 4000u);
}

TYPED_TEST(CarrierConformance, EightMebibytesEachWayAtOnce) {
    this->open();
    const auto [s, c] = this->join();
    constexpr std::uint64_t kTotal = 8 << 20;
    Source<typename TypeParam::Carrier> up{1, kTotal};
    Source<typename TypeParam::Carrier> down{2, kTotal};
    this->run_until([&, s = s, c = c] {
        up.pump(*this->client, c);
        down.pump(*this->server, s);
        return (*this->server)[s].received.size() >= kTotal && (*this->client)[c].received.size() >= kTotal;
    });
    EXPECT_TRUE(is_stream(1, (*this->server)[s].received, kTotal));
    EXPECT_TRUE(is_stream(2, (*this->client)[c].received, kTotal));
    EXPECT_GT((*this->client)[c].writable, 0) << "8 MiB are many times the bound";
}

// RFC 9293 section 3.6: one side has finished, the other may go on.
TYPED_TEST(CarrierConformance, HalfClosedConnectionsCarryTheOtherWay) {
    this->open();
    const auto [s, c] = this->join();
    this->send(*this->client, c, 1, 1000);
    this->client->carrier.close(c);
    this->run_until([&, s = s] { return (*this->server)[s].peer_closed; });
    EXPECT_TRUE(is_stream(1, (*this->server)[s].received, 1000));
    EXPECT_FALSE((*this->server)[s].closed);
    EXPECT_FALSE((*this->client)[c].closed);
    EXPECT_FALSE(this->client->carrier.prepare(c, 1)) << "nothing may follow close()";

    constexpr std::uint64_t kTotal = 1 << 20;
    Source<typename TypeParam::Carrier> down{2, kTotal};
    this->run_until([&, s = s, c = c] {
        down.pump(*this->server, s);
        return (*this->client)[c].received.size() >= kTotal;
    });
    this->server->carrier.close(s);
    this->run_until([&, s = s, c = c] { return (*this->server)[s].closed && (*this->client)[c].closed; });
    EXPECT_EQ((*this->server)[s].closed, CloseReason::kFinished);
    EXPECT_EQ((*this->client)[c].closed, CloseReason::kFinished);
    EXPECT_TRUE(is_stream(2, (*this->client)[c].received, kTotal));
}

TYPED_TEST(CarrierConformance, CloseSendsAllThatIsQueuedFirst) {
    this->open();
    const auto [s, c] = this->join();
    this->send(*this->client, c, 9, 200 * 1024);
    this->client->carrier.close(c);
    this->run_until([&, s = s] { return (*this->server)[s].peer_closed; });
    EXPECT_TRUE(is_stream(9, (*this->server)[s].received, 200 * 1024));
    this->server->carrier.close(s);
    this->run_until([&, s = s, c = c] { return (*this->server)[s].closed && (*this->client)[c].closed; });
    EXPECT_EQ((*this->client)[c].closed, CloseReason::kFinished);
}

TYPED_TEST(CarrierConformance, BothMayCloseAtOnce) {
    this->open();
    const auto [s, c] = this->join();
    this->client->carrier.close(c);
    this->server->carrier.close(s);
    this->run_until([&, s = s, c = c] { return (*this->server)[s].closed && (*this->client)[c].closed; });
    EXPECT_EQ((*this->server)[s].closed, CloseReason::kFinished);
    EXPECT_EQ((*this->client)[c].closed, CloseReason::kFinished);
}

// RFC 9293 section 3.10.5 (ABORT): the peer gets RST, and the connection's own end hears nothing more.
TYPED_TEST(CarrierConformance, AbortResetsThePeer) {
    this->open();
    const auto [s, c] = this->join();
    this->send(*this->server, s, 1, 100);
    this->client->carrier.abort(c);
    this->run_until([&, s = s] { return (*this->server)[s].closed.has_value(); });
    EXPECT_EQ((*this->server)[s].closed, CloseReason::kReset);
    this->settle();
    EXPECT_FALSE((*this->client)[c].closed);
    EXPECT_TRUE((*this->client)[c].received.empty());
    EXPECT_EQ(this->server->carrier.connections(), 0u);
    EXPECT_EQ(this->client->carrier.connections(), 0u);
}

TYPED_TEST(CarrierConformance, AbortWhileBothSend) {
    this->open();
    for (int round = 0; round < 20; ++round) {
        const auto [s, c] = this->join();
        Source<typename TypeParam::Carrier> up{1, 8 << 20};
        Source<typename TypeParam::Carrier> down{2, 8 << 20};
        this->run_until([&, s = s, c = c] {
            up.pump(*this->client, c);
            down.pump(*this->server, s);
            return (*this->server)[s].received.size() > 300'000u;
        });
        this->server->carrier.abort(s);
        this->run_until([&, c = c] { return (*this->client)[c].closed.has_value(); });
        EXPECT_EQ((*this->client)[c].closed, CloseReason::kReset);
        const auto& got = (*this->server)[s].received;
        EXPECT_TRUE(is_stream(1, got, got.size()));
    }
    this->settle();
    EXPECT_EQ(this->server->carrier.connections(), 0u);
    EXPECT_EQ(this->client->carrier.connections(), 0u);
    EXPECT_FALSE(this->server->carrier.under_pressure());
}

TYPED_TEST(CarrierConformance, NobodyListensThere) {
    this->open();
    const ConnId c = this->client->connect(this->pair->closed_port(), this->now);
    ASSERT_NE(c, kNoConn);
    this->run_until([&] { return (*this->client)[c].closed.has_value(); });
    EXPECT_EQ((*this->client)[c].closed, CloseReason::kRefused);
    EXPECT_FALSE((*this->client)[c].open);
    this->settle();
    EXPECT_EQ(this->client->carrier.connections(), 0u);
}

TYPED_TEST(CarrierConformance, StopListening) {
    this->open();
    const auto [s, c] = this->join();
    this->server->carrier.stop_listening();
    this->settle();
    const ConnId late = this->client->connect(this->address, this->now);
    this->run_until([&] { return (*this->client)[late].closed.has_value(); });
    EXPECT_EQ((*this->client)[late].closed, CloseReason::kRefused);
    this->expect_carried(*this->client, c, *this->server, s, 1, 1000);  // the old one goes on
}

TYPED_TEST(CarrierConformance, SendsAreBoundedAndWritableFollows) {
    this->open({.send_limit = 64 * 1024});
    const auto [s, c] = this->join();
    auto& carrier = this->client->carrier;
    std::size_t sent = 0;
    while (write(carrier, c, stream_bytes(1, sent, 5000))) {
        sent += 5000;
        ASSERT_LE(sent, 70'000u) << "the bound does not hold";
    }
    EXPECT_GE(sent, 60'000u);
    this->expect_unsent(carrier.unsent(c), sent);  // a refusal changes nothing
    EXPECT_EQ((*this->client)[c].writable, 0);
    this->run_until([&, c = c] { return (*this->client)[c].writable == 1; });
    EXPECT_LT(carrier.unsent(c), 32u * 1024);
    EXPECT_TRUE(write(carrier, c, stream_bytes(1, sent, 5000)));
    sent += 5000;
    this->run_until([&, s = s] { return (*this->server)[s].received.size() >= sent; });
    EXPECT_TRUE(is_stream(1, (*this->server)[s].received, sent));
    this->settle();
    EXPECT_EQ((*this->client)[c].writable, 1) << "one refusal, one kWritable";
    EXPECT_EQ(carrier.unsent(c), 0u);
}

TYPED_TEST(CarrierConformance, PausedConnectionsDeliverNothingAndSlowTheSender) {
    this->open();
    const auto [s, c] = this->join();
    this->expect_carried(*this->client, c, *this->server, s, 7, 100);
    (*this->server)[s].received.clear();
    this->server->carrier.pause(s);
    this->turn();

    constexpr std::uint64_t kTotal = 32 << 20;  // more than any socket buffer
    Source<typename TypeParam::Carrier> up{1, kTotal};
    for (int quiet = 0; quiet < 20'000;) {
        const auto before = up.sent;
        up.pump(*this->client, c);
        quiet = this->turn() || up.sent != before ? 0 : quiet + 1;
    }
    EXPECT_LT(up.sent, kTotal) << "the sender was not slowed";
    EXPECT_TRUE((*this->server)[s].received.empty());
    EXPECT_GT(this->client->carrier.unsent(c), 0u);

    this->server->carrier.resume(s);
    this->run_until([&, s = s, c = c] {
        up.pump(*this->client, c);
        return (*this->server)[s].received.size() >= kTotal;
    });
    EXPECT_TRUE(is_stream(1, (*this->server)[s].received, kTotal));
}

TYPED_TEST(CarrierConformance, PauseAndResumeInEveryTurnLosesNothing) {
    this->open();
    const auto [s, c] = this->join();
    constexpr std::uint64_t kTotal = 2 << 20;
    Source<typename TypeParam::Carrier> up{3, kTotal};
    std::uint32_t random = 1;
    this->run_until([&, s = s, c = c] {
        up.pump(*this->client, c);
        random = random * 1664525 + 1013904223;
        if (random >> 31)
            this->server->carrier.pause(s);
        else
            this->server->carrier.resume(s);
        return (*this->server)[s].received.size() >= kTotal;
    });
    EXPECT_TRUE(is_stream(3, (*this->server)[s].received, kTotal));
}

TYPED_TEST(CarrierConformance, SharedBytesGoToManyByReference) {
    this->open();
    std::vector<std::pair<ConnId, ConnId>> joined;
    for (int i = 0; i < 40; ++i)
        joined.push_back(this->join());
    auto& carrier = this->server->carrier;
    std::vector<std::byte> expected;
    for (const std::size_t n : {10u, 1448u, 20000u}) {
        const auto bytes = stream_bytes(n, 0, n);
        expected.insert(expected.end(), bytes.begin(), bytes.end());
        auto shared = carrier.make_shared(bytes);
        const auto copy = shared;
        for (const auto& ids : joined)
            ASSERT_TRUE(carrier.append(ids.first, shared));
        shared = {};  // the connections hold it now
        this->expect_unsent(carrier.unsent(joined[0].first), expected.size());
    }
    // Written bytes keep their place among shared ones.
    const auto tail = stream_bytes(99, 0, 50);
    expected.insert(expected.end(), tail.begin(), tail.end());
    for (const auto& ids : joined)
        ASSERT_TRUE(write(carrier, ids.first, tail));
    for (const auto& ids : joined) {
        this->run_until([&] { return (*this->client)[ids.second].received.size() >= expected.size(); });
        EXPECT_EQ((*this->client)[ids.second].received, expected);
    }
}

TYPED_TEST(CarrierConformance, AppendIsBoundedToo) {
    this->open({.send_limit = 64 * 1024});
    const auto [s, c] = this->join();
    auto& carrier = this->server->carrier;
    const auto shared = carrier.make_shared(stream_bytes(1, 0, 10'000));
    std::size_t appended = 0;
    while (carrier.append(s, shared))
        ASSERT_LE(++appended, 8u) << "the bound does not hold";
    EXPECT_GE(appended, 5u);
    this->expect_unsent(carrier.unsent(s), appended * 10'000);
    this->run_until([&, s = s] { return (*this->server)[s].writable == 1; });
    EXPECT_TRUE(carrier.append(s, shared));
    this->run_until([&, c = c] { return (*this->client)[c].received.size() >= (appended + 1) * 10'000; });
}

TYPED_TEST(CarrierConformance, TimersComeOnceNotEarlyAndInOrder) {
    this->open();
    const auto [s1, c1] = this->join();
    const auto [s2, c2] = this->join();
    const auto [s3, c3] = this->join();
    auto& carrier = this->server->carrier;
    const Time start = this->now;
    carrier.set_timer(s1, start + 20ms);
    carrier.set_timer(s2, start + 5ms);
    carrier.set_timer(s3, start + 1ms);
    carrier.set_timer(s2, start + 10ms);  // a later call replaces an earlier one, later
    carrier.set_timer(s1, start + 15ms);  // or earlier
    carrier.cancel_timer(s3);
    auto& end = *this->server;
    this->run_until([&, s1 = s1, s2 = s2] { return !end[s1].timers.empty() && !end[s2].timers.empty(); });
    EXPECT_GE(end[s1].timers[0], start + 15ms);
    EXPECT_GE(end[s2].timers[0], start + 10ms);
    EXPECT_LE(end[s2].timers[0], end[s1].timers[0]);
    carrier.set_timer(s2, this->now + 5ms);
    this->run_until([&, s2 = s2] { return end[s2].timers.size() == 2; });
    EXPECT_EQ(end[s1].timers.size(), 1u);
    EXPECT_TRUE(end[s3].timers.empty());
}

TYPED_TEST(CarrierConformance, TimersDoNotOutliveTheConnection) {
    this->open();
    const auto [s, c] = this->join();
    this->server->carrier.set_timer(s, this->now + 5ms);
    this->server->carrier.abort(s);
    const auto [s2, c2] = this->join();
    this->server->carrier.set_timer(s2, this->now + 20ms);
    this->run_until([&, s2 = s2] { return !(*this->server)[s2].timers.empty(); });
    EXPECT_EQ((*this->server)[s2].timers.size(), 1u);
}

TYPED_TEST(CarrierConformance, SlotsAreUsedAgain) {
    this->open({.server_connections = 8, .client_connections = 8});
    for (int round = 0; round < 100; ++round) {
        const auto [s, c] = this->join();
        ASSERT_NE(s, kNoConn);
        EXPECT_LT(index(s), 8u);
        this->expect_carried(*this->client, c, *this->server, s, round, 300);
        if (round % 3 == 0) {
            this->server->carrier.abort(s);
            this->run_until([&, c = c] { return (*this->client)[c].closed.has_value(); });
        } else {
            auto& first = round % 3 == 1 ? *this->server : *this->client;
            auto& second = round % 3 == 1 ? *this->client : *this->server;
            first.carrier.close(round % 3 == 1 ? s : c);
            const ConnId other = round % 3 == 1 ? c : s;
            this->run_until([&] { return second[other].peer_closed; });
            second.carrier.close(other);
            this->run_until(
                [&, s = s, c = c] { return (*this->server)[s].closed && (*this->client)[c].closed; });
        }
    }
    this->settle();
    EXPECT_EQ(this->server->carrier.connections(), 0u);
    EXPECT_EQ(this->client->carrier.connections(), 0u);
}

TYPED_TEST(CarrierConformance, AtTheBoundNewOnesAreRefusedAndTheOldGoOn) {
    this->open({.server_connections = 4, .client_connections = 6});
    std::vector<std::pair<ConnId, ConnId>> joined;
    for (int i = 0; i < 4; ++i)
        joined.push_back(this->join());
    const ConnId fifth = this->client->connect(this->address, this->now);
    ASSERT_NE(fifth, kNoConn);
    this->settle();
    EXPECT_EQ(this->server->accepted.size(), 4u);
    EXPECT_EQ(this->server->carrier.connections(), 4u);
    for (const auto& [s, c] : joined)
        this->expect_carried(*this->client, c, *this->server, s, 11, 2000);

    // A slot is free again: the next one gets in.
    if (!(*this->client)[fifth].closed) this->client->carrier.abort(fifth);
    this->server->carrier.abort(joined[0].first);
    this->run_until([&] { return (*this->client)[joined[0].second].closed.has_value(); });
    this->settle();
    const auto [s, c] = this->join();
    this->expect_carried(*this->client, c, *this->server, s, 12, 2000);
}

TYPED_TEST(CarrierConformance, TheClientsBoundIsNoConnection) {
    this->open({.client_connections = 2});
    this->join();
    this->join();
    EXPECT_EQ(this->client->carrier.connect(this->address, this->now), kNoConn);
    EXPECT_EQ(this->client->carrier.connections(), 2u);
}

TYPED_TEST(CarrierConformance, CountersHaveNamesAndMove) {
    this->open();
    const auto [s, c] = this->join();
    this->expect_carried(*this->client, c, *this->server, s, 1, 5000);
    std::set<std::string> names;
    std::uint64_t sum = 0;
    std::size_t count = 0;
    std::as_const(this->server->carrier).visit_counters([&](std::string_view name, std::uint64_t value) {
        names.emplace(name);
        sum += value;
        ++count;
    });
    EXPECT_GT(count, 0u);
    EXPECT_EQ(names.size(), count) << "each name once";
    EXPECT_GT(sum, 0u);
    EXPECT_GT(this->server->carrier.memory_in_use(), 0u);
}

}  // namespace
}  // namespace millrace::net::test
