#include "netstack/ip/local_addresses.h"

#include <charconv>

namespace millrace::net {
namespace {

// The all-zeros and all-ones hosts of a subnet; point-to-point prefixes (RFC 3021) have none.
bool is_subnet_edge(Ipv4 ip, const Cidr& subnet) {
    if (subnet.prefix >= 31) return false;
    const std::uint32_t host = ip.value & ~subnet.mask();
    return host == 0 || host == ~subnet.mask();
}

bool overlap(const LocalRange& a, const LocalRange& b) {
    return a.holds(b.first) || b.holds(a.first);
}

Expected<void> check(const LocalRange& range) {
    const Ipv4 last{range.first.value + range.count - 1};
    if (range.count == 0 || range.prefix > 32 || !range.subnet().contains(last) || last < range.first)
        return fail(to_string(range.first) + " and " + std::to_string(range.count) +
                    " addresses from it on do not fit their /" + std::to_string(range.prefix) +
                    ": give a shorter prefix or fewer addresses");
    for (const Ipv4 ip : {range.first, last})
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

Expected<LocalAddresses> LocalAddresses::create(std::vector<LocalRange> ranges, std::optional<Ipv4> gateway) {
    if (ranges.empty()) return fail("no address of our own: give one with --ip, as 10.0.0.1/24");
    for (std::size_t i = 0; i < ranges.size(); ++i) {
        if (auto good = check(ranges[i]); !good) return tl::unexpected(good.error());
        for (std::size_t j = 0; j < i; ++j)
            if (overlap(ranges[i], ranges[j]))
                return fail("the address " + to_string(ranges[i].first) + " is given twice: give each once");
    }
    LocalAddresses local;
    local.ranges_ = std::move(ranges);
    if (gateway && (local.next_hop(*gateway) != gateway || local.is_local(*gateway)))
        return fail(
            "the gateway " + to_string(*gateway) +
            " is not a neighbour: give one that lies in the subnet of an --ip and is not that address");
    local.gateway_ = gateway;
    return local;
}

bool LocalAddresses::is_broadcast(Ipv4 ip) const {
    if (ip.value == 0xffffffff) return true;
    for (const auto& range : ranges_) {
        const Cidr subnet = range.subnet();
        if (subnet.prefix < 31 && subnet.contains(ip) && (ip.value | subnet.mask()) == 0xffffffff)
            return true;
    }
    return false;
}

Ipv4 LocalAddresses::source_for(Ipv4 neighbour) const {
    for (const auto& range : ranges_)
        if (range.subnet().contains(neighbour)) return range.first;
    return ranges_.front().first;
}

}  // namespace millrace::net
