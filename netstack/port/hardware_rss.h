#pragma once
// Receive-side scaling by the device itself, made the same function as Rss: our key, our table, both read
// back, for a device that keeps its own would bring segments to shards that do not know their connections.
// Set-up only.

#include <rte_ethdev.h>
#include <rte_flow.h>

#include <array>
#include <cstdint>
#include <vector>

#include "netstack/port/rss.h"

namespace millrace::net {

// What the device is configured with before it starts; rss_hf is zero when it does not spread TCP over either
// family, or has no key of its own: then it is steered in software.
struct HardwareRss {
    std::uint64_t hash_fields = 0;  // RTE_ETH_RSS_*
    std::vector<std::uint8_t> key;  // as long as the device wants it: kRssKey, then zeros
    unsigned table_size = 0;        // zero: it has none that can be set

    static HardwareRss of(const rte_eth_dev_info& info);
    bool possible() const { return hash_fields != 0; }
    // The table that the device is to have. One that is smaller than ours repeats in ours.
    Rss rss(unsigned queues) const;
    void configure(rte_eth_conf& conf);
};

// Of a started device: writes table and key where they differ, and reads them back. False when the device has
// not taken them.
bool program(std::uint16_t port, HardwareRss& hardware, const Rss& rss);

// The same, for drivers that are told by rules (rte_flow) instead: TCP of each family goes to the queues of
// the table, by the same hash. Both rules, or none.
bool program_by_flow(std::uint16_t port, const HardwareRss& hardware, const Rss& rss);

// What such a rule says; it points into itself.
struct RssRule {
    RssRule(const HardwareRss& hardware, const Rss& rss, bool ipv6);
    RssRule(const RssRule&) = delete;

    std::array<std::uint16_t, Rss::kTableSize> queues{};
    rte_flow_attr attributes{};
    std::array<rte_flow_item, 4> pattern{};
    rte_flow_action_rss action{};
    std::array<rte_flow_action, 2> actions{};
};

}  // namespace millrace::net
