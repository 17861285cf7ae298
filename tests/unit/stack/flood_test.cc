// A SYN flood against a shard that is at work: RFC 4987. Ten thousand connections carry traffic while SYNs
// from random addresses come at four times their packet rate.

#include <gtest/gtest.h>

#include <random>

#include "netstack/port/mbuf.h"
#include "tests/unit/port/frames.h"
#include "tests/unit/stack/network.h"

namespace millrace::net {
namespace {

using test::End;
using test::Octets;

constexpr std::size_t kConnections = 10'000;
constexpr std::size_t kAsked = 16;    // messages of the legitimate a turn
constexpr std::size_t kFlooded = 64;  // SYNs of the flood a turn
const SocketAddress kService{Ipv4{0x0a000002}, 9001};

StackConfig config_for(std::string_view address, IpAddress gateway) {
    StackConfig config = test::config_of(address);
    config.tcp.max_connections = kConnections + 6000;
    config.tcp.max_half_open = 1024;
    config.tcp.delayed_ack = Duration{};
    config.gateways = {gateway};
    return config;
}

class Flood : public ::testing::Test {
  protected:
    Flood() {
        EXPECT_TRUE(server.shard(0).listen(kService));
        for (std::size_t tried = 0; open.size() < kConnections && tried < 4 * kConnections; ++tried) {
            if (asked_to_open - open.size() < 200 && asked_to_open < kConnections) {
                for (int i = 0; i < 20; ++i, ++asked_to_open)
                    client.shard(0).connect(kService, now);
            }
            turn();
        }
        EXPECT_EQ(open.size(), kConnections);
    }

    // Everything that is on the way is taken in: the budget of the legitimate is what they send.
    void turn() {
        for (int i = 0; i < 3; ++i) {
            client.poll(now, [this](DpdkCarrier&, tcp::Event& event) {
                if (event.kind == EventKind::kConnected) open.push_back(event.conn);
                if (event.kind == EventKind::kReceived) answered += event.bytes.bytes().size();
                if (event.kind == EventKind::kClosed) ++lost;
            });
            server.poll(now, [](DpdkCarrier& carrier, tcp::Event& event) {
                if (event.kind == EventKind::kReceived)
                    test::append(carrier, event.conn, event.bytes.bytes());
            });
        }
        now += 1ms;
    }

    // From anywhere but the networks that no host of the Internet has.
    void flood() {
        std::array<rte_mbuf*, kFlooded> frames;
        for (rte_mbuf*& frame : frames) {
            const SocketAddress from{Ipv4{0x14000000u + static_cast<std::uint32_t>(random() % 0x40000000u)},
                                     static_cast<std::uint16_t>(1024 + random() % 60000)};
            frame = pool.mbuf(test::ethernet(
                cable->b().mac(), cable->a().mac(), 0x0800,
                test::ipv4(from.ip, kService.ip, 6,
                           test::tcp(from, kService, {}, 0x02, static_cast<std::uint32_t>(random())))));
        }
        const unsigned sent = cable->a().queue(0).transmit(frames);
        for (std::size_t i = sent; i < frames.size(); ++i)
            release(frames[i]);
    }

    // The bytes that came back for those asked in so many turns.
    std::uint64_t goodput(unsigned turns, bool flooded) {
        const std::uint64_t before = answered;
        static constexpr std::array<std::byte, 32> kMessage{};
        for (unsigned i = 0; i < turns; ++i) {
            for (std::size_t k = 0; k < kAsked; ++k)
                test::append(client.shard(0), open[next++ % open.size()], kMessage);
            if (flooded) flood();
            turn();
        }
        return answered - before;
    }

    test::TestPool pool{4096};
    std::unique_ptr<Cable> cable = *Cable::create({.slots = 1024, .mbufs = 8192});
    End client{cable->a(), config_for("10.0.0.1/24", kService.ip)};
    End server{cable->b(), config_for("10.0.0.2/24", Ipv4{0x0a000001})};
    Time now = Time{} + 1s;
    std::mt19937 random{11};
    std::vector<ConnId> open;
    std::size_t asked_to_open = 0, next = 0;
    std::uint64_t answered = 0, lost = 0;
};

TEST_F(Flood, TheLegitimateKeepTheirGoodputNewOnesGetInAndMemoryStaysFlat) {
    constexpr unsigned kTurns = 1500;
    const std::uint64_t calm = goodput(kTurns, false);
    ASSERT_EQ(calm, kTurns * kAsked * 32);
    goodput(200, true);  // the half-open bound is reached
    EXPECT_EQ(server.shard(0).stack().tcp().half_open(), 1024u);
    const std::size_t memory = server.shard(0).memory_in_use();
    const std::size_t connections = server.connections();

    const std::uint64_t flooded = goodput(kTurns, true);
    EXPECT_GE(flooded, calm * 8 / 10);
    EXPECT_GE(server.counter("tcp.SyncookiesSent"), kTurns * kFlooded / 2);
    EXPECT_EQ(lost, 0u);
    EXPECT_LE(server.connections(), connections + 8);
    EXPECT_LE(server.shard(0).memory_in_use(), memory + memory / 50);

    // Newcomers get in, by cookie.
    const std::size_t before = open.size();
    for (int i = 0; i < 200; ++i) {
        client.shard(0).connect(kService, now);
        flood();
        turn();
    }
    for (int i = 0; i < 20; ++i) {
        flood();
        turn();
    }
    EXPECT_GE(open.size() - before, 190u);
    EXPECT_GE(server.counter("tcp.SyncookiesRecv"), 190u);
    goodput(static_cast<unsigned>(2 * open.size() / kAsked), true);  // and are served
    EXPECT_EQ(lost, 0u);
    EXPECT_EQ(server.connections(), open.size() + server.shard(0).stack().tcp().half_open());
}

}  // namespace
}  // namespace millrace::net
