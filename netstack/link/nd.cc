#include "netstack/link/nd.h"

#include <cstring>

#include "netstack/base/checksum.h"

namespace millrace::net {
namespace {

constexpr std::uint8_t kHopLimitOnLink = 255;

// Types of options (section 4.6), which are counted in units of eight octets.
constexpr std::uint8_t kSourceLinkAddress = 1;
constexpr std::uint8_t kTargetLinkAddress = 2;
constexpr std::uint8_t kPrefixInformation = 3;
constexpr std::uint8_t kMtuOption = 5;
constexpr std::size_t kOptionUnit = 8;

constexpr std::size_t kNeighbourBytes = 24;            // before the options
constexpr std::size_t kRouterAdvertisementBytes = 16;  // likewise

std::uint8_t octet_at(std::span<const std::byte> bytes, std::size_t at) {
    return static_cast<std::uint8_t>(bytes[at]);
}

// Calls use(type, whole option) for each; false when one is malformed, which condemns the message.
template <class Use>
bool for_each_option(std::span<const std::byte> options, Use&& use) {
    while (!options.empty()) {
        if (options.size() < kOptionUnit) return false;
        const std::size_t length = octet_at(options, 1) * kOptionUnit;
        if (length == 0 || length > options.size()) return false;
        use(octet_at(options, 0), options.first(length));
        options = options.subspan(length);
    }
    return true;
}

MacAddress link_address_in(std::span<const std::byte> option) {
    MacAddress mac;
    std::memcpy(mac.octets.data(), option.data() + 2, mac.octets.size());
    return mac;
}

bool plausible(const NdPacket& p) {
    if (p.target.is_v6_multicast() || p.target.is_v4() || (p.link_address && is_multicast(*p.link_address)))
        return false;
    if (p.type == NdType::kNeighbourAdvertisement) return !(p.destination.is_v6_multicast() && p.solicited);
    // Duplicate address detection asks from nowhere, by the group, and names no link address (section 7.1.1).
    return !p.source.is_unspecified() || (!p.link_address && p.destination == solicited_node_group(p.target));
}

std::byte* append_icmpv6(rte_mbuf* frame, const MacAddress& source_mac, const MacAddress& destination_mac,
                         const IpAddress& source, const IpAddress& destination, std::uint16_t bytes) {
    EthernetHeader ethernet{destination_mac, source_mac, 0};
    ethernet.set_type(EtherType::kIpv6);
    const Ipv6Header ip = make_ipv6_header(source, destination, kProtocolIcmpv6, bytes, kHopLimitOnLink);
    // The headers go into the headroom, as TCP's do: small mbufs have no other room for them.
    constexpr std::uint16_t kHeaders = sizeof ethernet + sizeof ip;
    frame->data_off = static_cast<std::uint16_t>(frame->data_off - kHeaders);
    frame->data_len = kHeaders + bytes;
    frame->pkt_len = frame->data_len;
    auto* at = rte_pktmbuf_mtod(frame, std::byte*);
    std::memcpy(at, &ethernet, sizeof ethernet);
    std::memcpy(at + sizeof ethernet, &ip, sizeof ip);
    at += sizeof ethernet + sizeof ip;
    std::memset(at, 0, bytes);
    return at;
}

void add_link_address(std::byte* option, std::uint8_t type, const MacAddress& mac) {
    option[0] = std::byte{type};
    option[1] = std::byte{1};
    std::memcpy(option + 2, mac.octets.data(), mac.octets.size());
}

void finish_icmpv6(std::byte* message, std::uint16_t bytes, const IpAddress& source,
                   const IpAddress& destination) {
    ChecksumSum sum = pseudo_header_sum(source, destination, kProtocolIcmpv6, bytes);
    sum += checksum_sum(message, bytes);
    const std::uint16_t checksum = sum.checksum();
    std::memcpy(message + 2, &checksum, sizeof checksum);
}

}  // namespace

std::optional<NdPacket> parse_neighbour_message(const rte_mbuf* message, const IpArrival& arrival) {
    const std::span bytes(rte_pktmbuf_mtod(message, const std::byte*), message->data_len);
    if (arrival.hop_limit != kHopLimitOnLink || bytes.size() < kNeighbourBytes || octet_at(bytes, 1) != 0)
        return {};
    NdPacket p{.type = NdType{octet_at(bytes, 0)},
               .source = arrival.source,
               .destination = arrival.destination,
               .target = load_ipv6(bytes.data() + 8),
               .link_address = {}};
    if (p.type != NdType::kNeighbourSolicitation && p.type != NdType::kNeighbourAdvertisement) return {};
    const bool advertisement = p.type == NdType::kNeighbourAdvertisement;
    const std::uint8_t flags = advertisement ? octet_at(bytes, 4) : std::uint8_t{0};
    p.router = flags & 0x80;
    p.solicited = flags & 0x40;
    p.override_entry = flags & 0x20;
    const std::uint8_t wanted = advertisement ? kTargetLinkAddress : kSourceLinkAddress;
    const bool good = for_each_option(bytes.subspan(kNeighbourBytes), [&](std::uint8_t type, auto option) {
        if (type == wanted) p.link_address = link_address_in(option);
    });
    if (!good || !plausible(p)) return {};
    return p;
}

std::optional<RouterAdvertisement> parse_router_advertisement(const rte_mbuf* message,
                                                              const IpArrival& arrival) {
    const std::span bytes(rte_pktmbuf_mtod(message, const std::byte*), message->data_len);
    if (arrival.hop_limit != kHopLimitOnLink || !arrival.source.is_link_local() ||
        bytes.size() < kRouterAdvertisementBytes || octet_at(bytes, 1) != 0 ||
        NdType{octet_at(bytes, 0)} != NdType::kRouterAdvertisement)
        return {};
    RouterAdvertisement ra{.router = arrival.source,
                           .lifetime_seconds = load_big_endian<std::uint16_t>(bytes.data() + 6),
                           .link_address = {},
                           .prefixes = {}};
    const auto take = [&](std::uint8_t type, std::span<const std::byte> option) {
        if (type == kSourceLinkAddress) {
            ra.link_address = link_address_in(option);
        } else if (type == kMtuOption) {
            ra.mtu = load_big_endian<std::uint32_t>(option.data() + 4);
        } else if (type == kPrefixInformation && option.size() == 4 * kOptionUnit &&
                   ra.prefix_count < RouterAdvertisement::kMostPrefixes) {
            const std::uint8_t prefix = octet_at(option, 2);
            const bool on_link = octet_at(option, 3) & 0x80;
            const IpAddress network = load_ipv6(option.data() + 16);
            // The link-local prefix is on the link whatever a router says (section 6.3.4).
            if (!on_link || prefix > 128 || network.is_v4() || network.is_link_local() ||
                network.is_v6_multicast())
                return;
            ra.prefixes[ra.prefix_count++] = {{network, prefix},
                                              load_big_endian<std::uint32_t>(option.data() + 4)};
        }
    };
    if (!for_each_option(bytes.subspan(kRouterAdvertisementBytes), take)) return {};
    if (ra.link_address && is_multicast(*ra.link_address)) return {};
    return ra;
}

void write_nd(rte_mbuf* frame, const MacAddress& source, const MacAddress& destination,
              const NdPacket& packet) {
    const bool advertisement = packet.type == NdType::kNeighbourAdvertisement;
    const auto bytes =
        static_cast<std::uint16_t>(kNeighbourBytes + (packet.link_address ? kOptionUnit : std::size_t{0}));
    std::byte* const at = append_icmpv6(frame, source, destination, packet.source, packet.destination, bytes);
    at[0] = static_cast<std::byte>(packet.type);
    at[4] = static_cast<std::byte>((packet.router ? 0x80 : 0) | (packet.solicited ? 0x40 : 0) |
                                   (packet.override_entry ? 0x20 : 0));
    store_ipv6(at + 8, packet.target);
    if (packet.link_address)
        add_link_address(at + kNeighbourBytes, advertisement ? kTargetLinkAddress : kSourceLinkAddress,
                         *packet.link_address);
    finish_icmpv6(at, bytes, packet.source, packet.destination);
}

void write_router_solicitation(rte_mbuf* frame, const MacAddress& mac, const IpAddress& source) {
    constexpr std::uint16_t kBytes = 16;
    std::byte* const at = append_icmpv6(frame, mac, mac_of_group(kAllRouters), source, kAllRouters, kBytes);
    at[0] = static_cast<std::byte>(NdType::kRouterSolicitation);
    add_link_address(at + 8, kSourceLinkAddress, mac);
    finish_icmpv6(at, kBytes, source, kAllRouters);
}

}  // namespace millrace::net
