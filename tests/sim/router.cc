#include "tests/sim/router.h"

#include <cstring>

#include "netstack/base/checksum.h"
#include "netstack/ip/ipv4.h"
#include "netstack/link/ethernet.h"

namespace millrace::sim {
namespace {

constexpr net::MacAddress kRouterMac{{0x02, 0, 0, 0, 0, 0xfe}};
constexpr std::size_t kIcmpBytes = 8;
constexpr std::size_t kIpv6Bytes = 40;

void put16(std::byte* at, std::uint16_t value) {
    at[0] = static_cast<std::byte>(value >> 8);
    at[1] = static_cast<std::byte>(value);
}

std::vector<std::byte> with_ethernet(const net::MacAddress& to, const std::byte* type,
                                     std::size_t packet_bytes) {
    std::vector<std::byte> frame(net::kEthernetBytes + packet_bytes);
    std::memcpy(frame.data(), &to, 6);
    std::memcpy(frame.data() + 6, &kRouterMac, 6);
    std::memcpy(frame.data() + 12, type, 2);
    return frame;
}

std::vector<std::byte> too_big_ipv4(const net::MacAddress& to, std::span<const std::byte> frame,
                                    std::uint16_t mtu) {
    const auto quote = frame.subspan(net::kEthernetBytes, net::kIpv4Bytes + 8u);
    const std::size_t message_bytes = kIcmpBytes + quote.size();
    auto answer = with_ethernet(to, frame.data() + 12, net::kIpv4Bytes + message_bytes);
    net::Ipv4Header quoted;
    std::memcpy(&quoted, quote.data(), sizeof quoted);
    const net::Ipv4 router{(quoted.source_ip().v4().value & 0xffffff00) + 254};
    const net::Ipv4Header header = net::make_ipv4_header(router, quoted.source_ip().v4(), net::kProtocolIcmp,
                                                         static_cast<std::uint32_t>(message_bytes), true);
    std::memcpy(answer.data() + net::kEthernetBytes, &header, sizeof header);
    std::byte* icmp = answer.data() + net::kEthernetBytes + net::kIpv4Bytes;
    icmp[0] = std::byte{3};
    icmp[1] = std::byte{4};
    put16(icmp + 6, mtu);
    std::memcpy(icmp + kIcmpBytes, quote.data(), quote.size());
    const std::uint16_t sum = net::checksum_sum(icmp, message_bytes).checksum();
    std::memcpy(icmp + 2, &sum, sizeof sum);
    return answer;
}

std::vector<std::byte> too_big_ipv6(const net::MacAddress& to, std::span<const std::byte> frame,
                                    std::uint16_t mtu) {
    // As much of the packet as fits into the least MTU.
    const auto quote =
        frame.subspan(net::kEthernetBytes)
            .first(std::min<std::size_t>(frame.size() - net::kEthernetBytes, 1280 - kIpv6Bytes - kIcmpBytes));
    const std::size_t message_bytes = kIcmpBytes + quote.size();
    auto answer = with_ethernet(to, frame.data() + 12, kIpv6Bytes + message_bytes);
    std::byte* ip = answer.data() + net::kEthernetBytes;
    ip[0] = std::byte{0x60};
    put16(ip + 4, static_cast<std::uint16_t>(message_bytes));
    ip[6] = std::byte{58};
    ip[7] = std::byte{64};
    std::memcpy(ip + 8, quote.data() + 8, 16);  // the router: the sender's prefix, another host
    ip[8 + 15] = std::byte{0xfe};
    std::memcpy(ip + 24, quote.data() + 8, 16);
    std::byte* icmp = ip + kIpv6Bytes;
    icmp[0] = std::byte{2};
    put16(icmp + 6, mtu);
    std::memcpy(icmp + kIcmpBytes, quote.data(), quote.size());
    net::ChecksumSum sum = net::checksum_sum(ip + 8, 32);  // the pseudo-header (RFC 8200 section 8.1)
    const std::uint64_t length_and_next =
        net::big_endian16(static_cast<std::uint16_t>(message_bytes)) + std::uint64_t{net::big_endian16(58)};
    sum += net::ChecksumSum(length_and_next);
    sum += net::checksum_sum(icmp, message_bytes);
    const std::uint16_t checksum = sum.checksum();
    std::memcpy(icmp + 2, &checksum, sizeof checksum);
    return answer;
}

}  // namespace

std::vector<std::byte> packet_too_big(const net::MacAddress& sender, std::span<const std::byte> frame,
                                      std::uint16_t mtu) {
    return frame[12] == std::byte{0x86} ? too_big_ipv6(sender, frame, mtu) : too_big_ipv4(sender, frame, mtu);
}

}  // namespace millrace::sim
