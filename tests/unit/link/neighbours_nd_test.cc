// The neighbour table by neighbour discovery: RFC 4861 section 7, and RFC 4862 section 5.4 for our own
// addresses.

#include <gtest/gtest.h>

#include "netstack/link/neighbours.h"
#include "netstack/port/mbuf.h"
#include "tests/unit/port/frames6.h"

namespace millrace::net {
namespace {

class NeighbourDiscovery : public ::testing::Test {
  protected:
    Neighbours make(NeighbourConfig config = {}) {
        auto made = Neighbours::create(config, test::kOurMac, local);
        EXPECT_TRUE(made);
        return std::move(*made);
    }
    // Frees what came out; the messages that were to be sent.
    static std::vector<Neighbours::NdToSend> drain(Neighbours& table) {
        const std::vector<Neighbours::NdToSend> sent(table.nd_to_send().begin(), table.nd_to_send().end());
        for (const auto& r : table.ready())
            release(r.packet);
        for (rte_mbuf* p : table.failed())
            release(p);
        table.clear();
        return sent;
    }
    static NdPacket solicitation(const IpAddress& source, const IpAddress& target,
                                 std::optional<MacAddress> mac = test::kPeerMac) {
        return {.type = NdType::kNeighbourSolicitation,
                .source = source,
                .destination = solicited_node_group(target),
                .target = target,
                .link_address = mac};
    }
    static NdPacket advertisement(bool solicited, bool override_entry,
                                  std::optional<MacAddress> mac = test::kPeerMac,
                                  const IpAddress& target = test::kPeerIp6) {
        return {.type = NdType::kNeighbourAdvertisement,
                .source = target,
                .destination = test::kOurIp6,
                .target = target,
                .solicited = solicited,
                .override_entry = override_entry,
                .link_address = mac};
    }
    // A table that knows the peer, REACHABLE since `now`.
    Neighbours reachable() {
        Neighbours table = make();
        EXPECT_TRUE(table.wait(test::kPeerIp6, pool.mbuf({1}), now));
        table.input(advertisement(true, true), now);
        table.run_timers(now + 1s);  // that of the solicitation finds nothing to do
        drain(table);
        return table;
    }
    MacAddress mac_of(Neighbours& table, Time at) {
        const EthernetHeader* header = table.find(test::kPeerIp6, at);
        return header ? header->destination : MacAddress{};
    }

    const LocalAddresses local = *LocalAddresses::create(
        {*parse_local_range("2001:db8::1/64"), *parse_local_range("fe80::ff:fe00:1/64")}, {});
    const MacAddress other_mac{{2, 0, 0, 0, 0, 9}};
    test::TestPool pool;
    Time now = Time{} + 1h;
};

// Section 7.2.2: INCOMPLETE. The group is asked, the packet waits.
TEST_F(NeighbourDiscovery, ResolvesAndDelivers) {
    Neighbours table = make();
    EXPECT_EQ(table.find(test::kPeerIp6, now), nullptr);
    rte_mbuf* const packet = pool.mbuf({1});
    ASSERT_TRUE(table.wait(test::kPeerIp6, packet, now));
    ASSERT_EQ(table.nd_to_send().size(), 1u);
    const auto asked = table.nd_to_send()[0];
    EXPECT_EQ(asked.destination, (MacAddress{{0x33, 0x33, 0xff, 0, 0, 2}}));
    EXPECT_EQ(asked.packet.type, NdType::kNeighbourSolicitation);
    EXPECT_EQ(asked.packet.source, test::kOurIp6);
    EXPECT_EQ(asked.packet.destination, solicited_node_group(test::kPeerIp6));
    EXPECT_EQ(asked.packet.target, test::kPeerIp6);
    EXPECT_EQ(asked.packet.link_address, test::kOurMac);
    table.clear();
    table.input(advertisement(true, true), now);
    ASSERT_EQ(table.ready().size(), 1u);
    EXPECT_EQ(table.ready()[0].packet, packet);
    EXPECT_EQ(table.ready()[0].header.destination, test::kPeerMac);
    EXPECT_EQ(table.ready()[0].header.type(), EtherType::kIpv6);
    drain(table);
    EXPECT_EQ(mac_of(table, now), test::kPeerMac);
}

// Section 7.2.2: MAX_MULTICAST_SOLICIT tries, RETRANS_TIMER apart; then the packets come back.
TEST_F(NeighbourDiscovery, GivesUpAfterThreeSolicitations) {
    Neighbours table = make();
    ASSERT_TRUE(table.wait(test::kPeerIp6, pool.mbuf({1}), now));
    EXPECT_EQ(drain(table).size(), 1u);
    for (int second = 1; second <= 2; ++second) {
        table.run_timers(now + std::chrono::seconds(second));
        EXPECT_EQ(drain(table).size(), 1u);
    }
    table.run_timers(now + 3s);
    EXPECT_EQ(table.failed().size(), 1u);
    EXPECT_TRUE(drain(table).empty());
    EXPECT_EQ(table.find(test::kPeerIp6, now + 3s), nullptr);
}

// Section 2.8.. of a link-local neighbour we speak from our link-local address.
TEST_F(NeighbourDiscovery, TheSourceIsOfTheNeighboursScope) {
    Neighbours table = make();
    ASSERT_TRUE(table.wait(test::kPeerLinkLocal, pool.mbuf({1}), now));
    EXPECT_EQ(drain(table)[0].packet.source, test::kOurLinkLocal);
}

// Section 7.3.2: REACHABLE for REACHABLE_TIME, then STALE; the next packet starts DELAY; PROBE is unicast.
TEST_F(NeighbourDiscovery, AnAgedEntryIsUsedThenProbed) {
    Neighbours table = reachable();
    EXPECT_EQ(mac_of(table, now + 29s), test::kPeerMac);
    EXPECT_EQ(table.next_timer(), kNever) << "no timer while REACHABLE or STALE";
    EXPECT_EQ(mac_of(table, now + 100s), test::kPeerMac);
    EXPECT_TRUE(drain(table).empty()) << "DELAY: a confirmation may come by itself";
    EXPECT_EQ(table.next_timer(), now + 105s);
    table.run_timers(now + 105s);
    for (int probe = 0; probe < 3; ++probe) {
        const auto sent = drain(table);
        ASSERT_EQ(sent.size(), 1u);
        EXPECT_EQ(sent[0].destination, test::kPeerMac);
        EXPECT_EQ(sent[0].packet.destination, test::kPeerIp6);
        EXPECT_EQ(mac_of(table, now + 105s), test::kPeerMac) << "it still delivers";
        table.run_timers(now + 106s + std::chrono::seconds(probe));
    }
    EXPECT_TRUE(drain(table).empty());
    EXPECT_EQ(table.find(test::kPeerIp6, now + 108s), nullptr) << "MAX_UNICAST_SOLICIT";
    EXPECT_EQ(table.counters().failed.value(), 1u);
}

TEST_F(NeighbourDiscovery, AnAnsweredProbeMakesItReachable) {
    Neighbours table = reachable();
    mac_of(table, now + 31s);
    table.run_timers(now + 36s);
    EXPECT_EQ(drain(table).size(), 1u);
    table.input(advertisement(true, false, {}), now + 36s);
    EXPECT_EQ(mac_of(table, now + 65s), test::kPeerMac);
    table.run_timers(now + 65s);
    EXPECT_TRUE(drain(table).empty());
    EXPECT_EQ(table.next_timer(), kNever);
}

// Section 7.2.5: what an advertisement does, by its flags.
TEST_F(NeighbourDiscovery, WithoutOverrideAnotherMacIsNotTaken) {
    Neighbours table = reachable();
    table.input(advertisement(true, false, other_mac), now);
    EXPECT_EQ(mac_of(table, now), test::kPeerMac);
    EXPECT_EQ(table.next_timer(), now + 5s) << "but REACHABLE became STALE, and its use started DELAY";
}

TEST_F(NeighbourDiscovery, WithOverrideAnotherMacIsTaken) {
    Neighbours table = reachable();
    table.input(advertisement(true, true, other_mac), now);
    EXPECT_EQ(mac_of(table, now), other_mac);
    EXPECT_EQ(table.next_timer(), kNever) << "solicited: REACHABLE";
    table.input(advertisement(false, true, test::kPeerMac), now);
    EXPECT_EQ(mac_of(table, now), test::kPeerMac);
    EXPECT_EQ(table.next_timer(), now + 5s) << "unsolicited: STALE";
}

TEST_F(NeighbourDiscovery, AnUnsolicitedAdvertisementOfTheSameChangesNothing) {
    Neighbours table = reachable();
    table.input(advertisement(false, true), now + 29s);
    EXPECT_EQ(mac_of(table, now + 29s), test::kPeerMac);
    EXPECT_EQ(table.next_timer(), kNever);
    mac_of(table, now + 30s);
    EXPECT_EQ(table.next_timer(), now + 35s) << "it was no confirmation";
}

TEST_F(NeighbourDiscovery, IncompleteTakesAnyMacAndNeedsOne) {
    Neighbours table = make();
    ASSERT_TRUE(table.wait(test::kPeerIp6, pool.mbuf({1}), now));
    drain(table);
    table.input(advertisement(true, true, {}), now);
    EXPECT_EQ(table.find(test::kPeerIp6, now), nullptr);
    table.input(advertisement(false, false), now);
    EXPECT_EQ(table.ready().size(), 1u);
    drain(table);
    EXPECT_EQ(mac_of(table, now), test::kPeerMac);
    EXPECT_EQ(table.next_timer(), now + 1s) << "the solicitation's, which finds nothing to do";
}

TEST_F(NeighbourDiscovery, AdvertisementsNobodyAskedForAddNothing) {
    Neighbours table = make();
    table.input(advertisement(true, true), now);
    EXPECT_EQ(table.size(), 0u);
    EXPECT_EQ(table.counters().ignored.value(), 1u);
}

// Section 7.2.3 and 7.2.4.
TEST_F(NeighbourDiscovery, AnswersSolicitationsAndLearnsTheAskerAsStale) {
    Neighbours table = make();
    table.input(solicitation(test::kPeerIp6, test::kOurIp6), now);
    const auto sent = drain(table);
    ASSERT_EQ(sent.size(), 1u);
    EXPECT_EQ(sent[0].destination, test::kPeerMac);
    EXPECT_EQ(sent[0].packet.type, NdType::kNeighbourAdvertisement);
    EXPECT_EQ(sent[0].packet.source, test::kOurIp6);
    EXPECT_EQ(sent[0].packet.destination, test::kPeerIp6);
    EXPECT_EQ(sent[0].packet.target, test::kOurIp6);
    EXPECT_TRUE(sent[0].packet.solicited && sent[0].packet.override_entry);
    EXPECT_FALSE(sent[0].packet.router);
    EXPECT_EQ(sent[0].packet.link_address, test::kOurMac);
    EXPECT_EQ(mac_of(table, now), test::kPeerMac);
    EXPECT_EQ(table.next_timer(), now + 5s) << "STALE, and its use started DELAY";
}

TEST_F(NeighbourDiscovery, ASolicitationDoesNotConfirmWhatIsKnown) {
    Neighbours table = reachable();
    table.input(solicitation(test::kPeerIp6, test::kOurIp6), now + 29s);
    drain(table);
    mac_of(table, now + 30s);
    EXPECT_EQ(table.next_timer(), now + 35s);
    table.input(solicitation(test::kPeerIp6, test::kOurIp6, other_mac), now + 31s);
    drain(table);
    EXPECT_EQ(mac_of(table, now + 31s), other_mac);
}

TEST_F(NeighbourDiscovery, OthersSolicitationsAreNotAnswered) {
    Neighbours table = make();
    table.input(solicitation(test::kPeerIp6, {0x20010db800000000, 3}), now);
    EXPECT_TRUE(drain(table).empty());
    EXPECT_EQ(table.size(), 0u);
    Neighbours silent = make({.answers = false});
    silent.input(solicitation(test::kPeerIp6, test::kOurIp6), now);
    EXPECT_TRUE(drain(silent).empty()) << "another shard answers";
    EXPECT_EQ(silent.size(), 1u) << "but each learns";
}

// --- our own addresses ---

// RFC 4862 section 5.4.2, then RFC 4861 section 7.2.6.
TEST_F(NeighbourDiscovery, AsksAboutItsAddressesThenAnnouncesThem) {
    Neighbours table = make();
    table.announce();
    table.run_timers(now);
    auto sent = drain(table);
    ASSERT_EQ(sent.size(), 2u);
    EXPECT_EQ(sent[0].packet.type, NdType::kNeighbourSolicitation);
    EXPECT_TRUE(sent[0].packet.source.is_unspecified());
    EXPECT_EQ(sent[0].packet.target, test::kOurIp6);
    EXPECT_FALSE(sent[0].packet.link_address);
    EXPECT_EQ(sent[1].packet.target, test::kOurLinkLocal);
    table.run_timers(now + 2s);
    sent = drain(table);
    ASSERT_EQ(sent.size(), 2u);
    EXPECT_EQ(sent[0].destination, test::kGroupMac);
    EXPECT_EQ(sent[0].packet.type, NdType::kNeighbourAdvertisement);
    EXPECT_EQ(sent[0].packet.target, test::kOurIp6);
    EXPECT_TRUE(sent[0].packet.override_entry);
    EXPECT_FALSE(sent[0].packet.solicited);
    table.run_timers(now + 4s);
    EXPECT_EQ(drain(table).size(), 2u) << "once more";
    EXPECT_EQ(table.next_timer(), kNever);
}

// RFC 4862 section 5.4.3.
TEST_F(NeighbourDiscovery, WhileItAsksItAnswersNobody) {
    Neighbours table = make();
    table.announce();
    table.run_timers(now);
    drain(table);
    table.input(solicitation(test::kPeerIp6, test::kOurIp6), now + 500ms);
    EXPECT_TRUE(drain(table).empty());
    EXPECT_EQ(table.counters().conflicts.value(), 0u);
    table.run_timers(now + 1s);
    drain(table);
    table.input(solicitation(test::kPeerIp6, test::kOurIp6), now + 1s);
    EXPECT_EQ(drain(table).size(), 1u);
}

// RFC 4862 sections 5.4.4 and 5.4.5: whoever had it before us keeps it.
TEST_F(NeighbourDiscovery, ADuplicateFoundWhileAskingIsLeftToItsOwner) {
    Neighbours table = make();
    table.announce();
    table.run_timers(now);
    drain(table);
    table.input(advertisement(false, true, test::kPeerMac, test::kOurIp6), now + 500ms);
    EXPECT_EQ(table.counters().conflicts.value(), 1u);
    EXPECT_NE(table.hint().find("2001:db8::1 "), std::string::npos) << table.hint();
    table.run_timers(now + 2s);
    const auto sent = drain(table);
    ASSERT_EQ(sent.size(), 1u) << "the other address alone is announced";
    EXPECT_EQ(sent[0].packet.target, test::kOurLinkLocal);
    table.input(solicitation(test::kPeerLinkLocal, test::kOurIp6), now + 3s);
    EXPECT_TRUE(drain(table).empty()) << "and answered for";
}

// RFC 4862 section 5.4.3: two ask at the same time.
TEST_F(NeighbourDiscovery, TwoThatAskAtOnceHaveNeitherOfThemTheAddress) {
    Neighbours table = make();
    table.announce();
    table.run_timers(now);
    drain(table);
    table.input(solicitation({}, test::kOurIp6, {}), now + 1s);
    EXPECT_EQ(table.counters().conflicts.value(), 1u);
    EXPECT_TRUE(drain(table).empty());
}

// RFC 4861 section 7.2.4: who asks from nowhere is told by the group of all nodes.
TEST_F(NeighbourDiscovery, AnothersQuestionAboutOurAddressIsAnsweredToAll) {
    Neighbours table = make();
    table.input(solicitation({}, test::kOurIp6, {}), now);
    const auto sent = drain(table);
    ASSERT_EQ(sent.size(), 1u);
    EXPECT_EQ(sent[0].destination, test::kGroupMac);
    EXPECT_EQ(sent[0].packet.destination, kAllNodes);
    EXPECT_FALSE(sent[0].packet.solicited);
    EXPECT_EQ(table.size(), 0u);
}

TEST_F(NeighbourDiscovery, OurAddressesAreDefendedOnceInTenSeconds) {
    Neighbours table = make();
    const NdPacket claim = advertisement(false, true, test::kPeerMac, test::kOurIp6);
    table.input(claim, now);
    EXPECT_EQ(drain(table).size(), 1u);
    table.input(claim, now + 9s);
    EXPECT_TRUE(drain(table).empty());
    table.input(claim, now + 10s);
    EXPECT_EQ(drain(table).size(), 1u);
    EXPECT_EQ(table.counters().conflicts.value(), 3u);
    table.input(advertisement(false, true, test::kOurMac, test::kOurIp6), now + 20s);
    EXPECT_EQ(table.counters().conflicts.value(), 3u) << "our own, come back";
}

TEST_F(NeighbourDiscovery, MessagesAtOnceAreBounded) {
    Neighbours table = make();
    for (std::uint64_t i = 0; i < 200; ++i)
        table.input(solicitation({0x20010db800000000, 1000 + i}, test::kOurIp6), now);
    EXPECT_EQ(drain(table).size(), 64u);
}

}  // namespace
}  // namespace millrace::net
