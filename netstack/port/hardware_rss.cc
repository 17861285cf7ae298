#include "netstack/port/hardware_rss.h"

#include <algorithm>

namespace millrace::net {
namespace {

constexpr std::uint64_t kHashFields = RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_NONFRAG_IPV4_TCP |
                                      RTE_ETH_RSS_NONFRAG_IPV4_OTHER | RTE_ETH_RSS_IPV6 |
                                      RTE_ETH_RSS_NONFRAG_IPV6_TCP | RTE_ETH_RSS_NONFRAG_IPV6_OTHER;
// Where one family's flows would not be spread, all are in software.
constexpr std::uint64_t kNeededFields = RTE_ETH_RSS_NONFRAG_IPV4_TCP | RTE_ETH_RSS_NONFRAG_IPV6_TCP;

using Table = std::vector<rte_eth_rss_reta_entry64>;

Table blank_table(unsigned size) {
    Table table((size + 63u) / 64);
    for (unsigned i = 0; i < size; ++i)
        table[i / 64].mask |= std::uint64_t{1} << i % 64;
    return table;
}

bool has_table(std::uint16_t port, unsigned size, const Rss& rss) {
    Table table = blank_table(size);
    if (rte_eth_dev_rss_reta_query(port, table.data(), static_cast<std::uint16_t>(size)) != 0) return false;
    for (unsigned i = 0; i < size; ++i)
        if (table[i / 64].reta[i % 64] != rss.queue_of_hash(i)) return false;
    return true;
}

bool set_table(std::uint16_t port, unsigned size, const Rss& rss) {
    Table table = blank_table(size);
    for (unsigned i = 0; i < size; ++i)
        table[i / 64].reta[i % 64] = static_cast<std::uint16_t>(rss.queue_of_hash(i));
    return rte_eth_dev_rss_reta_update(port, table.data(), static_cast<std::uint16_t>(size)) == 0 &&
           has_table(port, size, rss);
}

bool has_key(std::uint16_t port, const HardwareRss& hardware) {
    std::vector<std::uint8_t> key(hardware.key.size());
    rte_eth_rss_conf conf{.rss_key = key.data(), .rss_key_len = static_cast<std::uint8_t>(key.size())};
    return rte_eth_dev_rss_hash_conf_get(port, &conf) == 0 &&
           (conf.rss_hf & kNeededFields) == kNeededFields &&
           std::equal(kRssKey.begin(), kRssKey.end(), key.begin());
}

bool set_key(std::uint16_t port, HardwareRss& hardware) {
    if (has_key(port, hardware)) return true;
    rte_eth_rss_conf conf{.rss_key = hardware.key.data(),
                          .rss_key_len = static_cast<std::uint8_t>(hardware.key.size()),
                          .rss_hf = hardware.hash_fields};
    return rte_eth_dev_rss_hash_update(port, &conf) == 0 && has_key(port, hardware);
}

}  // namespace

HardwareRss HardwareRss::of(const rte_eth_dev_info& info) {
    HardwareRss hardware;
    // Drivers that do not tell the size of their key have one of the usual size; it is read back in any case.
    const std::size_t key_size = info.hash_key_size == 0 ? kRssKey.size() : info.hash_key_size;
    if (key_size < kRssKey.size() || (info.flow_type_rss_offloads & kNeededFields) != kNeededFields)
        return hardware;
    hardware.hash_fields = kHashFields & info.flow_type_rss_offloads;
    hardware.key.resize(key_size);  // IPv6's hash takes the first 40 bytes, IPv4's the first 16
    std::copy(kRssKey.begin(), kRssKey.end(), hardware.key.begin());
    hardware.table_size = info.reta_size;
    return hardware;
}

Rss HardwareRss::rss(unsigned queues) const {
    return Rss(queues, table_size == 0 ? Rss::kTableSize : std::min(table_size, Rss::kTableSize));
}

void HardwareRss::configure(rte_eth_conf& conf) {
    conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
    conf.rx_adv_conf.rss_conf = {
        .rss_key = key.data(), .rss_key_len = static_cast<std::uint8_t>(key.size()), .rss_hf = hash_fields};
}

bool program(std::uint16_t port, HardwareRss& hardware, const Rss& rss) {
    return hardware.table_size != 0 && set_table(port, hardware.table_size, rss) && set_key(port, hardware);
}

RssRule::RssRule(const HardwareRss& hardware, const Rss& rss, bool ipv6) {
    for (unsigned i = 0; i < queues.size(); ++i)
        queues[i] = static_cast<std::uint16_t>(rss.queue_of_hash(i));
    attributes.ingress = 1;
    pattern = {{{.type = RTE_FLOW_ITEM_TYPE_ETH},
                {.type = ipv6 ? RTE_FLOW_ITEM_TYPE_IPV6 : RTE_FLOW_ITEM_TYPE_IPV4},
                {.type = RTE_FLOW_ITEM_TYPE_TCP},
                {.type = RTE_FLOW_ITEM_TYPE_END}}};
    action = {.func = RTE_ETH_HASH_FUNCTION_TOEPLITZ,
              .types = ipv6 ? RTE_ETH_RSS_NONFRAG_IPV6_TCP : RTE_ETH_RSS_NONFRAG_IPV4_TCP,
              .key_len = static_cast<std::uint32_t>(hardware.key.size()),
              .queue_num = static_cast<std::uint32_t>(queues.size()),
              .key = hardware.key.data(),
              .queue = queues.data()};
    actions = {{{.type = RTE_FLOW_ACTION_TYPE_RSS, .conf = &action}, {.type = RTE_FLOW_ACTION_TYPE_END}}};
}

bool program_by_flow(std::uint16_t port, const HardwareRss& hardware, const Rss& rss) {
    for (const bool ipv6 : {false, true}) {
        const RssRule rule(hardware, rss, ipv6);
        rte_flow_error error{};
        if (rte_flow_create(port, &rule.attributes, rule.pattern.data(), rule.actions.data(), &error))
            continue;
        if (ipv6) rte_flow_flush(port, &error);
        return false;
    }
    return true;
}

}  // namespace millrace::net
