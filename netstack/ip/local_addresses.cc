#include "netstack/ip/local_addresses.h"

#include <algorithm>
#include <charconv>

#include "netstack/ip/ipv6.h"

namespace millrace::net {
namespace {

// The all-zeros and all-ones hosts of an IPv4 subnet; point-to-point prefixes (RFC 3021) have none. In an
// IPv6 one the former are the routers' anycast address (RFC 4291 section 2.6.1).
bool is_subnet_edge(const IpAddress& ip, const Cidr& subnet) {
    const IpAddress mask = subnet.mask();
    const std::uint64_t high = ip.high & ~mask.high, low = ip.low & ~mask.low;
    if (!ip.is_v4()) return subnet.prefix < 127 && high == 0 && low == 0;
    return subnet.prefix < 31 && (low == 0 || low == ~mask.low);
}

bool overlap(const LocalRange& a, const LocalRange& b) {
    return a.holds(b.first) || b.holds(a.first);
}

Expected<void> check(const LocalRange& range) {
    const IpAddress last = range.first.plus(std::uint64_t{range.count} - 1);
    if (range.count == 0 || range.prefix > (range.first.is_v4() ? 32 : 128) ||
        !range.subnet().contains(last) || last < range.first)
        return fail(to_string(range.first) + " and " + std::to_string(range.count) +
                    " addresses from it on do not fit their /" + std::to_string(range.prefix) +
                    ": give a shorter prefix or fewer addresses");
    for (const IpAddress& ip : {range.first, last})
        if (is_martian_source(ip) || is_subnet_edge(ip, range.subnet()))
            return fail(to_string(ip) + "/" + std::to_string(range.prefix) +
                        " is not an address that a host can have: choose one inside the subnet");
    return {};
}

}  // namespace

Expected<LocalRange> parse_local_range(std::string_view text) {
    const auto plus = text.find('+');
    const auto slash = text.find('/');
    std::uint32_t count = 1;
    std::string cidr(text);
    if (plus != text.npos) {
        const auto number = text.substr(plus + 1, slash == text.npos ? text.npos : slash - plus - 1);
        const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), count);
        if (error != std::errc{} || end != number.data() + number.size() || slash < plus)
            return fail("'" + cidr + "' is not a range of addresses: write it as 10.1.0.1+160/16");
        cidr = std::string(text.substr(0, plus)) +
               std::string(slash == text.npos ? std::string_view{} : text.substr(slash));
    }
    const auto parsed = parse_cidr(cidr);
    if (!parsed) return tl::unexpected(parsed.error());
    const LocalRange range{parsed->address, count, parsed->prefix};
    if (auto good = check(range); !good) return tl::unexpected(good.error());
    return range;
}

Expected<LocalAddresses> LocalAddresses::create(std::vector<LocalRange> ranges,
                                                const std::vector<IpAddress>& gateways) {
    if (ranges.empty()) return fail("no address of our own: give one with --ip, as 10.0.0.1/24");
    for (std::size_t i = 0; i < ranges.size(); ++i) {
        if (auto good = check(ranges[i]); !good) return tl::unexpected(good.error());
        for (std::size_t j = 0; j < i; ++j)
            if (overlap(ranges[i], ranges[j]))
                return fail("the address " + to_string(ranges[i].first) + " is given twice: give each once");
    }
    LocalAddresses local;
    local.ranges_ = std::move(ranges);
    local.has_ipv6_ = std::any_of(local.ranges_.begin(), local.ranges_.end(),
                                  [](const auto& range) { return !range.first.is_v4(); });
    for (const IpAddress& gateway : gateways) {
        if (!local.is_neighbour(gateway) || local.is_local(gateway))
            return fail(
                "the gateway " + to_string(gateway) +
                " is not a neighbour: give one that lies in the subnet of an --ip and is not that address");
        auto& place = gateway.is_v4() ? local.gateway_v4_ : local.gateway_v6_;
        if (place)
            return fail("the gateway " + to_string(gateway) + " is a second one: give one for each family");
        place = gateway;
    }
    return local;
}

// What is left of its range are the part before it and the part behind it.
void LocalAddresses::withdraw(const IpAddress& ip) {
    const auto range =
        std::find_if(ranges_.begin(), ranges_.end(), [&](const LocalRange& r) { return r.holds(ip); });
    if (range == ranges_.end()) return;
    const auto before = static_cast<std::uint32_t>(ip.low - range->first.low);
    const LocalRange behind{ip.plus(1), range->count - before - 1, range->prefix};
    range->count = before;
    if (before == 0) ranges_.erase(range);
    if (behind.count > 0) ranges_.push_back(behind);
}

bool LocalAddresses::is_broadcast(const IpAddress& ip) const {
    if (!ip.is_v4()) return false;
    if (ip.v4().value == 0xffffffff) return true;
    for (const auto& range : ranges_) {
        const Cidr subnet = range.subnet();
        if (subnet.prefix < 31 && subnet.contains(ip) && (ip.low | subnet.mask().low) == ~std::uint64_t{0})
            return true;
    }
    return false;
}

bool LocalAddresses::is_group(const IpAddress& ip) const {
    if (ip == kAllNodes) return true;
    if (ip != solicited_node_group(ip)) return false;
    for (const auto& range : ranges_)
        if (!range.first.is_v4() && ((ip.low - range.first.low) & 0xffffff) < range.count) return true;
    return false;
}

IpAddress LocalAddresses::source_for(const IpAddress& neighbour) const {
    const LocalRange* best = nullptr;
    for (const auto& range : ranges_) {
        if (range.subnet().contains(neighbour)) return range.first;
        if (range.first.is_v4() != neighbour.is_v4()) continue;
        if (!best || best->first.is_link_local() != neighbour.is_link_local()) best = &range;
    }
    return best ? best->first : IpAddress{};
}

}  // namespace millrace::net
