#include "netstack/ip/mld.h"

#include <array>
#include <chrono>
#include <cstring>

#include "netstack/base/checksum.h"

namespace millrace::net {
namespace {

constexpr std::uint8_t kHopLimitOfMld = 1;
constexpr std::size_t kMldV1Bytes = 24;
constexpr std::size_t kMldV2QueryBytes = 28;  // without sources
constexpr std::size_t kMldReportBytes = 8;    // without records
constexpr std::size_t kMldRecordBytes = 20;   // without sources

constexpr IpAddress kAllMldV2Routers{0xff02000000000000, 0x16};

// Router Alert with the value of MLD (RFC 2711 section 2.1), padded to eight octets.
constexpr std::array<std::uint8_t, 8> kRouterAlertHeader{kProtocolIcmpv6, 0, 5, 2, 0, 0, 1, 0};

// Numbers with a three-bit exponent from the highest bit on (RFC 3810 sections 5.1.3 and 5.1.9).
std::uint64_t floating(unsigned code, unsigned mantissa_bits) {
    const unsigned implied = 1u << mantissa_bits;
    if (code < implied << 3) return code;
    const unsigned exponent = code >> mantissa_bits & 7;
    return std::uint64_t{(code & (implied - 1)) | implied} << (exponent + 3);
}

// RFC 3810 section 6.2: what did not come from a router of this link, or from a host of it, is no message.
bool from_the_link(const IpArrival& arrival) {
    return arrival.source.is_link_local() && arrival.hop_limit == kHopLimitOfMld && arrival.router_alert;
}

std::byte* begin_mld(rte_mbuf* frame, const MacAddress& mac, const IpAddress& source,
                     const IpAddress& destination, std::uint16_t bytes) {
    EthernetHeader ethernet{mac_of_group(destination), mac, 0};
    ethernet.set_type(EtherType::kIpv6);
    const Ipv6Header ip =
        make_ipv6_header(source, destination, kHopByHop, kRouterAlertHeader.size() + bytes, kHopLimitOfMld);
    constexpr std::uint16_t kHeaders = sizeof ethernet + sizeof ip + kRouterAlertHeader.size();
    frame->data_off = static_cast<std::uint16_t>(frame->data_off - kHeaders);
    frame->data_len = kHeaders + bytes;
    frame->pkt_len = frame->data_len;
    auto* at = rte_pktmbuf_mtod(frame, std::byte*);
    std::memcpy(at, &ethernet, sizeof ethernet);
    at += sizeof ethernet;
    std::memcpy(at, &ip, sizeof ip);
    at += sizeof ip;
    std::memcpy(at, kRouterAlertHeader.data(), kRouterAlertHeader.size());
    at += kRouterAlertHeader.size();
    std::memset(at, 0, bytes);
    return at;
}

void finish_mld(std::byte* message, MldType type, std::uint16_t bytes, const IpAddress& source,
                const IpAddress& destination) {
    message[0] = static_cast<std::byte>(type);
    ChecksumSum sum = pseudo_header_sum(source, destination, kProtocolIcmpv6, bytes);
    sum += checksum_sum(message, bytes);
    const std::uint16_t checksum = sum.checksum();
    std::memcpy(message + 2, &checksum, sizeof checksum);
}

}  // namespace

std::optional<MldQuery> parse_mld_query(const rte_mbuf* message, const IpArrival& arrival) {
    const std::span bytes(rte_pktmbuf_mtod(message, const std::byte*), message->data_len);
    if (!from_the_link(arrival) || bytes.size() < kMldV1Bytes ||
        bytes[0] != static_cast<std::byte>(MldType::kQuery))
        return {};
    MldQuery query{.group = load_ipv6(bytes.data() + 8)};
    if (!query.group.is_unspecified() && !query.group.is_v6_multicast()) return {};
    const unsigned code = load_big_endian<std::uint16_t>(bytes.data() + 4);
    // Section 8.1: the length says the version.
    if (bytes.size() == kMldV1Bytes) {
        query.version1 = true;
        query.max_response = std::chrono::milliseconds(code);
        return query;
    }
    if (bytes.size() < kMldV2QueryBytes) return {};
    query.max_response = std::chrono::milliseconds(floating(code, 12));
    query.robustness = static_cast<std::uint8_t>(bytes[24]) & 7;
    query.interval = std::chrono::seconds(floating(static_cast<unsigned>(bytes[25]), 4));
    return query;
}

std::optional<IpAddress> parse_mld_report(const rte_mbuf* message, const IpArrival& arrival) {
    const std::span bytes(rte_pktmbuf_mtod(message, const std::byte*), message->data_len);
    if (!from_the_link(arrival) || bytes.size() < kMldV1Bytes ||
        bytes[0] != static_cast<std::byte>(MldType::kReportV1))
        return {};
    return load_ipv6(bytes.data() + 8);
}

void write_mld_report(rte_mbuf* frame, const MacAddress& mac, const IpAddress& source,
                      std::span<const MldRecord> records) {
    const auto bytes = static_cast<std::uint16_t>(kMldReportBytes + records.size() * kMldRecordBytes);
    std::byte* const message = begin_mld(frame, mac, source, kAllMldV2Routers, bytes);
    const std::uint16_t count = big_endian16(static_cast<std::uint16_t>(records.size()));
    std::memcpy(message + 6, &count, sizeof count);
    std::byte* at = message + kMldReportBytes;
    for (const MldRecord& record : records) {
        at[0] = static_cast<std::byte>(record.type);
        store_ipv6(at + 4, record.group);
        at += kMldRecordBytes;
    }
    finish_mld(message, MldType::kReportV2, bytes, source, kAllMldV2Routers);
}

void write_mld_report_v1(rte_mbuf* frame, const MacAddress& mac, const IpAddress& source,
                         const IpAddress& group) {
    std::byte* const message = begin_mld(frame, mac, source, group, kMldV1Bytes);
    store_ipv6(message + 8, group);
    finish_mld(message, MldType::kReportV1, kMldV1Bytes, source, group);
}

}  // namespace millrace::net
