#include "netstack/link/neighbours.h"

#include <gtest/gtest.h>

#include "netstack/port/mbuf.h"
#include "tests/unit/port/frames.h"

namespace millrace::net {
namespace {

class NeighboursTest : public ::testing::Test {
  protected:
    Neighbours make(NeighbourConfig config = {}) {
        auto made = Neighbours::create(config, test::kOurMac, local);
        EXPECT_TRUE(made);
        return std::move(*made);
    }
    static ArpPacket packet(ArpOperation operation, Ipv4 sender, const MacAddress& mac, Ipv4 target) {
        return {operation, mac, sender, MacAddress{}, target};
    }
    static Ipv4 host(std::uint32_t n) { return Ipv4{0x0a000000 + n}; }
    // Frees what came out and says how much it was.
    struct Out {
        std::size_t arps, ready, failed;
        friend bool operator==(const Out&, const Out&) = default;
    };
    static Out drain(Neighbours& table) {
        const Out out{table.to_send().size() + table.nd_to_send().size(), table.ready().size(),
                      table.failed().size()};
        for (const auto& r : table.ready())
            release(r.packet);
        for (rte_mbuf* p : table.failed())
            release(p);
        table.clear();
        return out;
    }

    const LocalAddresses local =
        *LocalAddresses::create({*parse_local_range("10.0.0.1/16"), *parse_local_range("10.1.0.1+3/16")}, {});
    test::TestPool pool;  // before the table in a test, so that it outlives it
    Time now = Time{} + 1h;
};

std::ostream& operator<<(std::ostream& out, const auto& v) requires requires {
    v.arps;
}
{ return out << v.arps << " messages, " << v.ready << " ready, " << v.failed << " failed"; }

// RFC 826 "Packet Generation": a packet for an unknown address makes a request, and waits.
TEST_F(NeighboursTest, ResolvesAndDeliversInOrder) {
    Neighbours table = make();
    EXPECT_EQ(table.find(test::kPeerIp, now), nullptr);
    std::vector<rte_mbuf*> sent;
    for (int i = 0; i < 3; ++i) {
        sent.push_back(pool.mbuf({1}));
        ASSERT_TRUE(table.wait(test::kPeerIp, sent.back(), now));
    }
    ASSERT_EQ(table.to_send().size(), 1u) << "one request, however many wait";
    const auto& request = table.to_send()[0];
    EXPECT_EQ(request.destination, kBroadcast);
    EXPECT_EQ(request.packet.operation, ArpOperation::kRequest);
    EXPECT_EQ(request.packet.sender, test::kOurIp);
    EXPECT_EQ(request.packet.sender_mac, test::kOurMac);
    EXPECT_EQ(request.packet.target, test::kPeerIp);
    table.clear();

    table.input(packet(ArpOperation::kReply, test::kPeerIp, test::kPeerMac, test::kOurIp), now);
    ASSERT_EQ(table.ready().size(), 3u);
    for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_EQ(table.ready()[i].packet, sent[i]);
        EXPECT_EQ(table.ready()[i].header.destination, test::kPeerMac);
        EXPECT_EQ(table.ready()[i].header.source, test::kOurMac);
        EXPECT_EQ(table.ready()[i].header.type(), EtherType::kIpv4);
    }
    drain(table);
    const EthernetHeader* header = table.find(test::kPeerIp, now);
    ASSERT_NE(header, nullptr);
    EXPECT_EQ(header->destination, test::kPeerMac);
}

// RFC 1122 section 2.3.2.1: at most one request a second for an address; section 2.3.2.2: the packet waits
// meanwhile.
TEST_F(NeighboursTest, RetriesOnceASecondThenGivesUp) {
    Neighbours table = make();
    ASSERT_TRUE(table.wait(test::kPeerIp, pool.mbuf({1}), now));
    EXPECT_EQ(drain(table), (Out{1, 0, 0}));
    EXPECT_EQ(table.next_timer(), now + 1s);
    table.run_timers(now + 999ms);
    EXPECT_EQ(drain(table), (Out{0, 0, 0}));
    table.run_timers(now + 1s);
    EXPECT_EQ(drain(table), (Out{1, 0, 0}));
    table.run_timers(now + 2s);
    EXPECT_EQ(drain(table), (Out{1, 0, 0}));
    table.run_timers(now + 3s);
    EXPECT_EQ(drain(table), (Out{0, 0, 1}));
    EXPECT_EQ(table.next_timer(), kNever);
    EXPECT_EQ(table.counters().failed.value(), 1u);

    // Refused while the failure is held; then asked again.
    rte_mbuf* late = pool.mbuf({2});
    EXPECT_FALSE(table.wait(test::kPeerIp, late, now + 3500ms));
    EXPECT_EQ(drain(table), (Out{0, 0, 0}));
    EXPECT_TRUE(table.wait(test::kPeerIp, late, now + 4s));
    EXPECT_EQ(drain(table), (Out{1, 0, 0}));
}

// RFC 1122 section 2.3.2.1 (2), unicast poll: an entry in use is asked for at its own address before it is
// believed dead.
TEST_F(NeighboursTest, AnAgedEntryIsProbedWhileItDelivers) {
    Neighbours table = make();
    table.input(packet(ArpOperation::kRequest, test::kPeerIp, test::kPeerMac, test::kOurIp), now);
    drain(table);
    EXPECT_NE(table.find(test::kPeerIp, now + 59s), nullptr);
    EXPECT_TRUE(table.to_send().empty());
    EXPECT_NE(table.find(test::kPeerIp, now + 60s), nullptr);
    ASSERT_EQ(table.to_send().size(), 1u);
    EXPECT_EQ(table.to_send()[0].destination, test::kPeerMac);
    drain(table);
    EXPECT_NE(table.find(test::kPeerIp, now + 60500ms), nullptr);
    table.run_timers(now + 61s);
    EXPECT_EQ(drain(table), (Out{1, 0, 0}));
    table.run_timers(now + 62s);
    ASSERT_EQ(table.to_send().size(), 1u);
    EXPECT_EQ(table.to_send()[0].destination, kBroadcast) << "the last try asks everybody";
    drain(table);

    const MacAddress replaced{{2, 0, 0, 0, 0, 9}};
    table.input(packet(ArpOperation::kReply, test::kPeerIp, replaced, test::kOurIp), now + 62500ms);
    EXPECT_EQ(table.find(test::kPeerIp, now + 62500ms)->destination, replaced);
    table.run_timers(now + 70s);
    EXPECT_EQ(drain(table), (Out{0, 0, 0}));
}

TEST_F(NeighboursTest, AnUnansweredProbeEndsTheEntry) {
    Neighbours table = make();
    table.input(packet(ArpOperation::kRequest, test::kPeerIp, test::kPeerMac, test::kOurIp), now);
    table.find(test::kPeerIp, now + 60s);
    for (int second = 61; second <= 63; ++second)
        table.run_timers(now + std::chrono::seconds(second));
    drain(table);
    EXPECT_EQ(table.find(test::kPeerIp, now + 63s), nullptr);
    EXPECT_EQ(table.counters().failed.value(), 1u);
}

// RFC 826 "Packet Reception".
TEST_F(NeighboursTest, AnswersForEveryLocalAddressAndLearnsTheAsker) {
    Neighbours table = make();
    for (const Ipv4 ours : {test::kOurIp, Ipv4{0x0a010001}, Ipv4{0x0a010003}}) {
        table.input(packet(ArpOperation::kRequest, test::kPeerIp, test::kPeerMac, ours), now);
        ASSERT_EQ(table.to_send().size(), 1u);
        const auto& reply = table.to_send()[0];
        EXPECT_EQ(reply.destination, test::kPeerMac);
        EXPECT_EQ(reply.packet.operation, ArpOperation::kReply);
        EXPECT_EQ(reply.packet.sender, ours);
        EXPECT_EQ(reply.packet.sender_mac, test::kOurMac);
        EXPECT_EQ(reply.packet.target, test::kPeerIp);
        drain(table);
    }
    EXPECT_NE(table.find(test::kPeerIp, now), nullptr);
    EXPECT_EQ(table.size(), 1u);
}

TEST_F(NeighboursTest, OthersRequestsAreNeitherAnsweredNorLearnt) {
    Neighbours table = make();
    table.input(packet(ArpOperation::kRequest, test::kPeerIp, test::kPeerMac, host(99)), now);
    EXPECT_EQ(drain(table), (Out{0, 0, 0}));
    EXPECT_EQ(table.size(), 0u);
    // A reply that nobody asked for adds nothing.
    table.input(packet(ArpOperation::kReply, test::kPeerIp, test::kPeerMac, test::kOurIp), now);
    EXPECT_EQ(table.size(), 0u);
    // Senders that cannot be neighbours: another subnet, a broadcast address.
    table.input(packet(ArpOperation::kRequest, Ipv4{0xc0a80001}, test::kPeerMac, test::kOurIp), now);
    table.input(packet(ArpOperation::kRequest, Ipv4{0x0a00ffff}, test::kPeerMac, test::kOurIp), now);
    EXPECT_EQ(table.size(), 0u);
    EXPECT_TRUE(table.to_send().empty());
}

// RFC 5227 section 2.1.1: a probe has sender address zero; it is defended against by a reply.
TEST_F(NeighboursTest, AProbeIsAnsweredAndNotLearnt) {
    Neighbours table = make();
    table.input(packet(ArpOperation::kRequest, Ipv4{0}, test::kPeerMac, test::kOurIp), now);
    EXPECT_EQ(drain(table), (Out{1, 0, 0}));
    EXPECT_EQ(table.size(), 0u);
}

// RFC 5227 section 2.4.
TEST_F(NeighboursTest, SomebodyElseWithOurAddressIsCountedAndAnswered) {
    Neighbours table = make();
    EXPECT_TRUE(table.hint().empty());
    table.input(packet(ArpOperation::kRequest, test::kOurIp, test::kPeerMac, test::kOurIp), now);
    EXPECT_EQ(table.counters().conflicts.value(), 1u);
    EXPECT_FALSE(table.hint().empty());
    // (c): we defend, once in ten seconds.
    ASSERT_EQ(table.to_send().size(), 1u);
    EXPECT_EQ(table.to_send()[0].destination, kBroadcast);
    EXPECT_EQ(table.to_send()[0].packet.sender, test::kOurIp);
    EXPECT_EQ(table.to_send()[0].packet.target, test::kOurIp);
    drain(table);
    const ArpPacket again = packet(ArpOperation::kReply, test::kOurIp, test::kPeerMac, test::kOurIp);
    table.input(again, now + 9999ms);
    EXPECT_EQ(drain(table), (Out{0, 0, 0}));
    table.input(again, now + 10s);
    EXPECT_EQ(drain(table), (Out{1, 0, 0}));
    EXPECT_EQ(table.counters().conflicts.value(), 3u);
    table.input(packet(ArpOperation::kRequest, test::kOurIp, test::kOurMac, test::kOurIp), now);
    EXPECT_EQ(table.counters().conflicts.value(), 3u) << "our own announcement, come back";
    EXPECT_EQ(table.size(), 0u);
}

// RFC 5227 section 2.1.1: asked about without naming a sender; section 2.3: then announced twice, two seconds
// apart.
TEST_F(NeighboursTest, AsksAboutEveryAddressThenAnnouncesItTwice) {
    Neighbours table = make();
    table.announce();
    EXPECT_TRUE(table.asking());
    const std::uint32_t expected[] = {0x0a000001, 0x0a010001, 0x0a010002, 0x0a010003};
    for (const Time at : {now, now + 1s, now + 3s}) {
        EXPECT_LE(table.next_timer(), at);
        table.run_timers(at - 1ns);
        table.run_timers(at);
        ASSERT_EQ(table.to_send().size(), 4u);
        EXPECT_EQ(table.asking(), at == now);
        for (std::size_t i = 0; i < 4; ++i) {
            const ArpPacket& sent = table.to_send()[i].packet;
            EXPECT_EQ(table.to_send()[i].destination, kBroadcast);
            EXPECT_EQ(sent.operation, ArpOperation::kRequest);
            EXPECT_EQ(sent.sender.value, table.asking() ? 0 : expected[i]);
            EXPECT_EQ(sent.target.value, expected[i]);
        }
        drain(table);
    }
    EXPECT_EQ(table.next_timer(), kNever);
    table.run_timers(now + 1h);
    EXPECT_EQ(drain(table), (Out{0, 0, 0}));
}

TEST_F(NeighboursTest, WhereNobodyElseIsNothingIsAskedAbout) {
    Neighbours table = make({.tentative = {}});
    table.announce();
    EXPECT_FALSE(table.asking());
    table.run_timers(now);
    ASSERT_EQ(table.to_send().size(), 4u);
    EXPECT_EQ(table.to_send()[0].packet.sender, test::kOurIp) << "announced at once";
}

// RFC 5227 section 2.1.1: by an answer, by an announcement, or by a question at the same time.
TEST_F(NeighboursTest, AnAddressThatAnotherHasIsLeftToHim) {
    for (const ArpPacket& claim : {packet(ArpOperation::kReply, test::kOurIp, test::kPeerMac, test::kOurIp),
                                   packet(ArpOperation::kRequest, test::kOurIp, test::kPeerMac, test::kOurIp),
                                   packet(ArpOperation::kRequest, Ipv4{}, test::kPeerMac, test::kOurIp)}) {
        Neighbours table = make();
        table.announce();
        table.run_timers(now);
        drain(table);
        table.input(claim, now + 500ms);
        EXPECT_EQ(drain(table), (Out{0, 0, 0})) << "nothing is answered";
        table.run_timers(now + 1s);
        EXPECT_FALSE(table.asking());
        EXPECT_EQ(drain(table), (Out{3, 0, 0})) << "the others are announced";
        ASSERT_EQ(table.duplicates().size(), 1u);
        EXPECT_EQ(table.duplicates()[0], test::kOurIp);
        EXPECT_EQ(table.counters().duplicates.value(), 1u);
        EXPECT_NE(table.hint().find("10.0.0.1 "), std::string::npos) << table.hint();
        table.input(packet(ArpOperation::kRequest, test::kPeerIp, test::kPeerMac, test::kOurIp), now + 2s);
        EXPECT_EQ(drain(table), (Out{0, 0, 0})) << "nor answered for";
    }
}

TEST_F(NeighboursTest, WhileItAsksItAnswersNobody) {
    Neighbours table = make();
    table.announce();
    table.run_timers(now);
    drain(table);
    const ArpPacket request = packet(ArpOperation::kRequest, test::kPeerIp, test::kPeerMac, test::kOurIp);
    table.input(request, now + 500ms);
    EXPECT_EQ(drain(table), (Out{0, 0, 0}));
    table.run_timers(now + 1s);
    drain(table);
    table.input(request, now + 1s);
    EXPECT_EQ(drain(table), (Out{1, 0, 0}));
}

// Every shard must know, one asks.
TEST_F(NeighboursTest, ASilentShardLearnsOfDuplicatesToo) {
    Neighbours table = make({.answers = false});
    table.announce();
    table.run_timers(now);
    EXPECT_EQ(drain(table), (Out{0, 0, 0}));
    EXPECT_TRUE(table.asking());
    table.input(packet(ArpOperation::kReply, test::kOurIp, test::kPeerMac, test::kOurIp), now);
    table.run_timers(now + 1s);
    EXPECT_FALSE(table.asking());
    EXPECT_EQ(table.duplicates().size(), 1u);
}

TEST_F(NeighboursTest, OfTooManyDuplicatesAllAddressesAre) {
    const auto many = *LocalAddresses::create({*parse_local_range("10.2.0.1+1000/16")}, {});
    auto table = *Neighbours::create({}, test::kOurMac, many);
    table.announce();
    for (std::uint32_t i = 0; i < 100; ++i) {
        const Ipv4 ours{0x0a020001 + i};
        EXPECT_FALSE(table.all_duplicate() && i < 16);
        table.input(packet(ArpOperation::kReply, ours, test::kPeerMac, ours), now);
    }
    EXPECT_TRUE(table.all_duplicate());
    EXPECT_LE(table.duplicates().size(), 16u);
}

TEST_F(NeighboursTest, ManyAddressesAreAskedAboutInBursts) {
    const auto many = *LocalAddresses::create({*parse_local_range("10.2.0.1+1000/16")}, {});
    auto table = *Neighbours::create({}, test::kOurMac, many);
    table.announce();
    std::vector<std::uint32_t> asked;
    for (int i = 0; i < 100 && table.next_timer() <= now; ++i) {
        table.run_timers(now);
        EXPECT_LE(table.to_send().size(), 64u);
        for (const auto& arp : table.to_send())
            asked.push_back(arp.packet.target.value);
        table.clear();
    }
    ASSERT_EQ(asked.size(), 1000u);
    for (std::uint32_t i = 0; i < 1000; ++i)
        ASSERT_EQ(asked[i], 0x0a020001 + i);
}

TEST_F(NeighboursTest, WaitingIsBoundedPerEntryAndInAll) {
    Neighbours table = make({.max_waiting = 5, .max_waiting_per_entry = 3});
    rte_mbuf* refused = pool.mbuf({0});
    for (int i = 0; i < 3; ++i)
        ASSERT_TRUE(table.wait(host(10), pool.mbuf({1}), now));
    EXPECT_FALSE(table.wait(host(10), refused, now));
    for (int i = 0; i < 2; ++i)
        ASSERT_TRUE(table.wait(host(11), pool.mbuf({1}), now));
    EXPECT_FALSE(table.wait(host(11), refused, now));
    EXPECT_EQ(table.counters().waiting_full.value(), 2u);
    table.clear();
    // Places come back when the wait is over.
    table.input(packet(ArpOperation::kReply, host(10), test::kPeerMac, test::kOurIp), now);
    EXPECT_EQ(drain(table).ready, 3u);
    EXPECT_TRUE(table.wait(host(11), refused, now));
}

TEST_F(NeighboursTest, AFullTableGivesUnusedEntriesAwayAndKeepsBusyOnes) {
    Neighbours table = make({.max_entries = 8});
    for (std::uint32_t i = 0; i < 8; ++i)
        table.input(packet(ArpOperation::kRequest, host(10 + i), test::kPeerMac, test::kOurIp), now);
    drain(table);
    ASSERT_EQ(table.size(), 8u);
    for (std::uint32_t i = 8; i < 200; ++i) {
        ASSERT_NE(table.find(host(10), now), nullptr) << "the one in use stays";
        table.input(packet(ArpOperation::kRequest, host(10 + i), test::kPeerMac, test::kOurIp), now);
        ASSERT_NE(table.find(host(10 + i), now), nullptr);
        ASSERT_EQ(table.size(), 8u);
        drain(table);
    }
}

TEST_F(NeighboursTest, ATableFullOfUnresolvedEntriesRefuses) {
    Neighbours table = make({.max_entries = 4});
    for (std::uint32_t i = 0; i < 4; ++i)
        ASSERT_TRUE(table.wait(host(10 + i), pool.mbuf({1}), now));
    rte_mbuf* refused = pool.mbuf({0});
    EXPECT_FALSE(table.wait(host(50), refused, now));
    EXPECT_EQ(table.counters().table_full.value(), 1u);
    release(refused);
}

// RFC 6583 section 7.1: whom anybody makes us ask for do not push out more than half of those who are there.
TEST_F(NeighboursTest, ResolutionsLeaveHalfOfAFullTableToThoseWhoAreKnown) {
    Neighbours table = make({.max_entries = 8});
    for (std::uint32_t i = 0; i < 8; ++i)
        table.input(packet(ArpOperation::kRequest, host(10 + i), test::kPeerMac, test::kOurIp), now);
    drain(table);
    rte_mbuf* refused = pool.mbuf({0});
    for (std::uint32_t i = 0; i < 200; ++i) {
        rte_mbuf* asked = pool.mbuf({1});
        if (!table.wait(host(1000 + i), asked, now)) release(asked);
        drain(table);
    }
    EXPECT_EQ(table.counters().table_full.value(), 196u);
    std::size_t known = 0;
    for (std::uint32_t i = 0; i < 8; ++i)
        known += table.find(host(10 + i), now) != nullptr;
    EXPECT_EQ(known, 4u);
    // Those that failed give way to others.
    for (int i = 0; i < 5; ++i) {
        now += 1s;
        table.run_timers(now);
        drain(table);
    }
    EXPECT_TRUE(table.wait(host(2000), refused, now));
}

TEST_F(NeighboursTest, TheGatewayIsNeverPushedOut) {
    const LocalAddresses with_gateway =
        *LocalAddresses::create({*parse_local_range("10.0.0.1/16")}, {host(254)});
    Neighbours table = make({.max_entries = 8});
    table.follow(with_gateway);
    table.input(packet(ArpOperation::kRequest, host(254), test::kPeerMac, test::kOurIp), now);
    for (std::uint32_t i = 0; i < 200; ++i) {
        table.input(packet(ArpOperation::kRequest, host(1000 + i), test::kPeerMac, test::kOurIp), now);
        drain(table);
    }
    EXPECT_NE(table.find(host(254), now), nullptr);
    EXPECT_EQ(table.find(host(1000), now), nullptr);
}

// Entries come and go in clustered slots; every answer is compared with a plain map's.
TEST_F(NeighboursTest, EqualsAMapUnderChurn) {
    Neighbours table = make({.max_entries = 32, .failed_hold = 0s});
    test::Numbers numbers(5);
    for (int step = 0; step < 20000; ++step) {
        now += 10ms;
        const Ipv4 ip = host(10 + numbers.below(100));
        const MacAddress mac{{2, 0, 0, 0, 0, static_cast<std::uint8_t>(numbers.below(256))}};
        switch (numbers.below(3)) {
            case 0:
                table.input(packet(ArpOperation::kRequest, ip, mac, test::kOurIp), now);
                if (const auto* header = table.find(ip, now)) {
                    ASSERT_EQ(header->destination, mac);
                }
                break;
            case 1:
                if (!table.find(ip, now)) {
                    rte_mbuf* p = pool.mbuf({1});
                    if (!table.wait(ip, p, now)) release(p);
                }
                break;
            case 2:
                table.run_timers(now);
                break;
        }
        ASSERT_LE(table.size(), 32u);
        drain(table);
    }
    EXPECT_GT(table.counters().failed.value(), 100u);
}

}  // namespace
}  // namespace millrace::net
