// A port that spreads flows itself does so by our key and table, as DPDK tells when it is asked; one that
// cannot is steered in software. net_null keeps what it is given as a NIC's driver would, and has no rules
// (rte_flow).

#include "netstack/port/hardware_rss.h"

#include <gtest/gtest.h>

#include "netstack/port/port.h"

namespace millrace::net {
namespace {

Port open(const std::string& device, unsigned queues) {
    auto port = Port::open({.device = device, .queues = queues, .receive_mbufs = 512, .descriptors = 64});
    EXPECT_TRUE(port) << (port ? "" : port.error().message);
    return std::move(*port);
}

unsigned queue_in_table(std::uint16_t port, unsigned entry) {
    std::array<rte_eth_rss_reta_entry64, RTE_ETH_RSS_RETA_SIZE_128 / 64> table{};
    for (auto& part : table)
        part.mask = ~std::uint64_t{0};
    EXPECT_EQ(rte_eth_dev_rss_reta_query(port, table.data(), RTE_ETH_RSS_RETA_SIZE_128), 0);
    return table[entry / 64].reta[entry % 64];
}

TEST(HardwareRss, APortHasOurTableAndKey) {
    for (const unsigned queues : {2u, 3u, 4u, 8u}) {
        const Port port = open("net_null_rss" + std::to_string(queues), queues);
        EXPECT_TRUE(port.offloads().rss);
        EXPECT_NE(port.describe().find("steering: port"), std::string::npos) << port.describe();
        for (unsigned i = 0; i < 128; ++i) {
            EXPECT_EQ(queue_in_table(port.id(), i), i % queues);
            EXPECT_EQ(queue_in_table(port.id(), i), port.rss().queue_of_hash(i));
        }
        std::array<std::uint8_t, 40> key{};
        rte_eth_rss_conf conf{.rss_key = key.data(), .rss_key_len = key.size()};
        ASSERT_EQ(rte_eth_dev_rss_hash_conf_get(port.id(), &conf), 0);
        EXPECT_EQ(key, kRssKey);
    }
}

TEST(HardwareRss, AKeyThatIsNotOursIsReplaced) {
    Port port = open("net_null_key", 2);
    std::array<std::uint8_t, 40> other{1, 2, 3};
    rte_eth_rss_conf conf{
        .rss_key = other.data(), .rss_key_len = other.size(), .rss_hf = RTE_ETH_RSS_NONFRAG_IPV4_TCP};
    ASSERT_EQ(rte_eth_dev_rss_hash_update(port.id(), &conf), 0);
    rte_eth_dev_info info{};
    ASSERT_EQ(rte_eth_dev_info_get(port.id(), &info), 0);
    HardwareRss hardware = HardwareRss::of(info);
    EXPECT_TRUE(program(port.id(), hardware, port.rss()));
    ASSERT_EQ(rte_eth_dev_rss_hash_conf_get(port.id(), &conf), 0);
    EXPECT_EQ(other, kRssKey);
}

TEST(HardwareRss, OneShardNeedsNone) {
    EXPECT_FALSE(open("net_null_alone", 1).offloads().rss);
}

// With fewer queues in the table than shards, or without a table, key or hash of either family.
TEST(HardwareRss, WhatADeviceLacksIsDoneInSoftware) {
    rte_eth_dev_info info{};
    info.reta_size = 128;
    info.hash_key_size = 40;
    info.flow_type_rss_offloads = RTE_ETH_RSS_NONFRAG_IPV4_TCP | RTE_ETH_RSS_NONFRAG_IPV6_TCP;
    EXPECT_TRUE(HardwareRss::of(info).possible());
    info.hash_key_size = 16;
    EXPECT_FALSE(HardwareRss::of(info).possible()) << "no room for the key";
    info.hash_key_size = 52;
    EXPECT_EQ(HardwareRss::of(info).key.size(), 52u);
    info.flow_type_rss_offloads = RTE_ETH_RSS_NONFRAG_IPV4_TCP;
    EXPECT_FALSE(HardwareRss::of(info).possible()) << "IPv6 would not be spread";

    const Port ring = open("net_ring_plain", 2);
    EXPECT_FALSE(ring.offloads().rss);
    EXPECT_NE(ring.describe().find("steering: software"), std::string::npos) << ring.describe();
    HardwareRss none;
    none.key.assign(kRssKey.begin(), kRssKey.end());
    none.table_size = 128;
    EXPECT_FALSE(program(ring.id(), none, ring.rss())) << "it takes no table";
    EXPECT_FALSE(program_by_flow(ring.id(), none, ring.rss())) << "and no rules";
}

TEST(HardwareRss, ATableOfAnySizeIsTheSameFunctionAsOurs) {
    for (const unsigned size : {64u, 128u, 512u}) {
        HardwareRss hardware;
        hardware.table_size = size;
        const Rss rss = hardware.rss(3);
        for (std::uint32_t hash = 0; hash < 4096; ++hash)
            ASSERT_EQ(rss.queue_of_hash(hash), hash % size % 128 % 3) << size;
    }
}

TEST(HardwareRss, ARuleSaysTheSameByFlow) {
    HardwareRss hardware;
    hardware.key.assign(kRssKey.begin(), kRssKey.end());
    const Rss rss(3);
    for (const bool ipv6 : {false, true}) {
        const RssRule rule(hardware, rss, ipv6);
        EXPECT_EQ(rule.attributes.ingress, 1u);
        EXPECT_EQ(rule.pattern[1].type, ipv6 ? RTE_FLOW_ITEM_TYPE_IPV6 : RTE_FLOW_ITEM_TYPE_IPV4);
        EXPECT_EQ(rule.pattern[2].type, RTE_FLOW_ITEM_TYPE_TCP);
        EXPECT_EQ(rule.pattern[3].type, RTE_FLOW_ITEM_TYPE_END);
        ASSERT_EQ(rule.actions[0].type, RTE_FLOW_ACTION_TYPE_RSS);
        const auto& action = *static_cast<const rte_flow_action_rss*>(rule.actions[0].conf);
        EXPECT_EQ(action.func, RTE_ETH_HASH_FUNCTION_TOEPLITZ);
        EXPECT_EQ(action.types, ipv6 ? RTE_ETH_RSS_NONFRAG_IPV6_TCP : RTE_ETH_RSS_NONFRAG_IPV4_TCP);
        EXPECT_TRUE(std::equal(kRssKey.begin(), kRssKey.end(), action.key));
        ASSERT_EQ(action.queue_num, 128u);
        for (unsigned i = 0; i < 128; ++i)
            EXPECT_EQ(action.queue[i], rss.queue_of_hash(i));
    }
}

}  // namespace
}  // namespace millrace::net
