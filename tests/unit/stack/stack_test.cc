// One stack, fed frames by hand: what comes out, byte for byte.

#include "netstack/stack/stack.h"

#include <gtest/gtest.h>

#include "netstack/port/mbuf.h"
#include "tests/unit/port/frames.h"
#include "tests/unit/stack/network.h"

namespace millrace::net {
namespace {

using test::Octets;

const SocketAddress kService{test::kOurIp, 80}, kPeer{test::kPeerIp, 4000};

class StackTest : public ::testing::Test {
  protected:
    StackTest() { take(); }

    static std::unique_ptr<Stack> make() {
        static const Rss rss(1);
        StackConfig config = test::config_of("10.0.0.1/24");
        config.data_mbufs = 512;
        config.header_mbufs = 512;
        return *Stack::create(config,
                              {.mac = test::kOurMac, .offloads = {.transmit_chains = true}, .rss = &rss});
    }
    void receive(const std::vector<Octets>& frames) {
        stack->begin_poll();
        std::vector<rte_mbuf*> burst;
        for (const Octets& frame : frames)
            burst.push_back(pool.mbuf(frame));
        stack->receive(burst, now);
        stack->run_timers(now);
    }
    std::vector<Octets> take() {
        std::vector<Octets> frames;
        stack->run_timers(now);
        while (stack->flush(now)) {
        }
        for (rte_mbuf* frame : stack->outgoing()) {
            frames.push_back(test::bytes_of(frame));
            release(frame);
        }
        stack->sent(frames.size());
        return frames;
    }
    static Octets from_peer(const Octets& packet) {
        return test::ethernet(test::kOurMac, test::kPeerMac, 0x0800, packet);
    }
    static Octets arp_request() {
        return test::ethernet(kBroadcast, test::kPeerMac, 0x0806,
                              test::arp(1, test::kPeerMac, test::kPeerIp, MacAddress{}, test::kOurIp));
    }
    std::uint64_t counter(std::string_view name) {
        std::uint64_t found = ~std::uint64_t{0};
        stack->visit_counters([&](std::string_view n, std::uint64_t value) {
            if (n == name) found = value;
        });
        return found;
    }

    test::TestPool pool{1024};
    std::unique_ptr<Stack> stack = make();
    Time now = Time{} + 1h;
};

TEST(StackStart, AnnouncesItsAddress) {
    static const Rss rss(1);
    auto stack = *Stack::create(test::config_of("10.0.0.1/24"), {.mac = test::kOurMac, .rss = &rss});
    EXPECT_LE(stack->next_timer(), Time{} + 1h);
    stack->run_timers(Time{} + 1h);
    ASSERT_EQ(stack->outgoing().size(), 1u);
    EXPECT_EQ(test::bytes_of(stack->outgoing()[0]),
              test::ethernet(kBroadcast, test::kOurMac, 0x0806,
                             test::arp(1, test::kOurMac, test::kOurIp, MacAddress{}, test::kOurIp)));
}

TEST_F(StackTest, AnswersArp) {
    receive({arp_request()});
    const auto out = take();
    ASSERT_EQ(out.size(), 1u);
    EXPECT_EQ(out[0],
              test::ethernet(test::kPeerMac, test::kOurMac, 0x0806,
                             test::arp(2, test::kOurMac, test::kOurIp, test::kPeerMac, test::kPeerIp)));
    Octets cut = arp_request();
    cut.resize(30);
    receive({cut});
    EXPECT_EQ(counter("ArpInErrors"), 1u);
}

// RFC 792: source and destination are exchanged, the type becomes 0, the checksum is computed anew.
TEST_F(StackTest, AnswersEchoByteForByte) {
    receive({arp_request()});
    take();
    for (const std::size_t size : {0, 1, 56, 1472}) {
        Octets data(size);
        for (std::size_t i = 0; i < size; ++i)
            data[i] = static_cast<std::uint8_t>(i);
        receive({from_peer(test::ipv4(test::kPeerIp, test::kOurIp, 1, test::icmp(8, 0, 0xabcd0001, data)))});
        const auto out = take();
        ASSERT_EQ(out.size(), 1u);
        EXPECT_EQ(out[0], test::ethernet(test::kPeerMac, test::kOurMac, 0x0800,
                                         test::ipv4(test::kOurIp, test::kPeerIp, 1,
                                                    test::icmp(0, 0, 0xabcd0001, data))));
    }
}

// RFC 9293 section 3.10.7.1: a segment for no connection is answered with RST.
TEST_F(StackTest, AClosedPortAnswersReset) {
    receive({arp_request()});
    take();
    receive({test::tcp_frame(kPeer, kService)});
    const auto out = take();
    ASSERT_EQ(out.size(), 1u);
    ASSERT_GE(out[0].size(), 54u);
    EXPECT_EQ(out[0][34 + 13] & 0x04, 0x04) << "RST";
    EXPECT_EQ(pool.in_use(), 0u);
}

TEST_F(StackTest, AConnectToNobodyFailsUnreachable) {
    const ConnId id = stack->tcp().connect(kPeer, now);
    ASSERT_NE(id, kNoConn);
    auto out = take();
    ASSERT_EQ(out.size(), 1u);
    EXPECT_EQ(out[0][12], 0x08);
    EXPECT_EQ(out[0][13], 0x06) << "an ARP request";
    for (int second = 1; second <= 3; ++second) {
        now += 1s;
        stack->begin_poll();
        take();
    }
    bool closed = false;
    for (const auto& event : stack->events())
        if (event.kind == EventKind::kClosed && event.conn == id) {
            closed = true;
            EXPECT_EQ(event.reason, CloseReason::kUnreachable);
        }
    EXPECT_TRUE(closed);
}

// RFC 1122 section 4.2.3.9: an ICMP error about our SYN.
TEST_F(StackTest, AnIcmpErrorReachesTheConnection) {
    receive({arp_request()});
    take();
    const ConnId id = stack->tcp().connect(kPeer, now);
    const auto out = take();
    ASSERT_EQ(out.size(), 1u);
    Octets quoted(out[0].begin() + 14, out[0].begin() + 14 + 28);
    receive({from_peer(test::ipv4(test::kPeerIp, test::kOurIp, 1, test::icmp(3, 3, 0, quoted)))});
    ASSERT_EQ(stack->events().size(), 1u);
    EXPECT_EQ(stack->events()[0].kind, EventKind::kClosed);
    EXPECT_EQ(stack->events()[0].conn, id);
    EXPECT_EQ(stack->events()[0].reason, CloseReason::kUnreachable);
}

TEST_F(StackTest, TruncationsAndGarbageAreCountedAndLeakNothing) {
    receive({arp_request()});
    take();
    ASSERT_TRUE(stack->tcp().listen(kService));
    test::Numbers numbers(17);
    const std::vector<Octets> seeds = {
        test::tcp_frame(kPeer, kService, test::text("data")),
        from_peer(test::ipv4(kPeer.ip, kService.ip, 6, test::tcp(kPeer, kService, {}, 0x02))), arp_request(),
        from_peer(test::ipv4(kPeer.ip, kService.ip, 1, test::icmp(8, 0, 1, test::text("ping"))))};
    for (const Octets& seed : seeds)
        for (std::size_t length = 0; length < seed.size(); ++length) {
            receive({Octets(seed.begin(), seed.begin() + static_cast<long>(length))});
            take();
        }
    for (int i = 0; i < 5000; ++i) {
        std::vector<Octets> burst;
        for (int n = 0; n < 8; ++n) {
            Octets frame = seeds[numbers.below(static_cast<std::uint32_t>(seeds.size()))];
            for (int flips = 0; flips < 3; ++flips)
                frame[numbers.below(static_cast<std::uint32_t>(frame.size()))] =
                    static_cast<std::uint8_t>(numbers.below(256));
            // Half of them pass the checksums, so that TCP sees bad ones too.
            if (numbers.below(2) == 0 && frame.size() >= 54 && frame[23] == 6) {
                test::set16(frame, 24, 0);
                test::set16(frame, 24, test::rfc1071(Octets(frame.begin() + 14, frame.begin() + 34)));
                const Octets segment(frame.begin() + 34, frame.end());
                Octets zeroed = segment;
                test::set16(zeroed, 16, 0);
                test::set16(frame, 34 + 16, test::l4_checksum(kPeer.ip, kService.ip, 6, zeroed));
            }
            burst.push_back(std::move(frame));
        }
        receive(burst);
        take();
        now += 10ms;
    }
    EXPECT_GT(counter("TcpInCsumErrors"), 0u);
    EXPECT_GT(counter("IpInTruncatedPkts"), 0u);
    stack.reset();
    EXPECT_EQ(pool.in_use(), 0u);
}

TEST_F(StackTest, MemoryInUseCountsWhatIsHeld) {
    const std::size_t before = stack->memory_in_use();
    ASSERT_NE(stack->tcp().connect(kPeer, now), kNoConn);
    while (stack->flush(now)) {
    }
    EXPECT_GT(stack->memory_in_use(), before);
}

}  // namespace
}  // namespace millrace::net
