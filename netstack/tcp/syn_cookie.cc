#include "netstack/tcp/syn_cookie.h"

#include <algorithm>
#include <array>

namespace millrace::tcp {
namespace {

// The least that we accept, RFC 9293's default, IPv6 at 1280, common tunnels, Ethernet (IPv6, IPv4), jumbo.
constexpr std::array<std::uint16_t, 8> kCommonMss{216, 536, 1220, 1300, 1400, 1440, 1460, 8940};
constexpr unsigned kMssBits = 3;
constexpr unsigned kPeriodBits = 2;
constexpr std::uint32_t kPeriodMask = (1u << kPeriodBits) - 1;
constexpr unsigned kDataBits = kMssBits + kPeriodBits;

constexpr std::uint32_t kNoScale = 15;  // RFC 7323 section 2.3: a scale is at most 14
constexpr std::uint32_t kScaleMask = 15;
constexpr std::uint32_t kSackBit = 16;
constexpr std::uint32_t kOptionMask = 31;

unsigned index_of_mss(std::uint16_t mss) {
    const auto above = std::upper_bound(kCommonMss.begin() + 1, kCommonMss.end(), mss);
    return static_cast<unsigned>(above - kCommonMss.begin()) - 1;
}

std::uint64_t period_of(Time now) {
    return static_cast<std::uint64_t>(now.time_since_epoch() / kCookiePeriod);
}

Seq sign(const Secret& secret, const net::SocketAddress& local, const net::SocketAddress& remote,
         Seq peer_isn, unsigned mss_index, std::uint64_t period) {
    const std::uint64_t said = std::uint64_t{peer_isn.value} << 32 | (period << kMssBits | mss_index);
    const std::uint64_t signature = siphash(secret, flow_digest(secret, local, remote), said);
    const auto data = static_cast<std::uint32_t>(mss_index << kPeriodBits | (period & kPeriodMask));
    return Seq{static_cast<std::uint32_t>(signature) << kDataBits | data};
}

}  // namespace

std::uint16_t common_mss(std::uint16_t mss) {
    return kCommonMss[index_of_mss(mss)];
}

Seq make_cookie(const Secret& secret, const net::SocketAddress& local, const net::SocketAddress& remote,
                Seq peer_isn, std::uint16_t mss, Time now) {
    return sign(secret, local, remote, peer_isn, index_of_mss(mss), period_of(now));
}

std::optional<std::uint16_t> read_cookie(const Secret& secret, const net::SocketAddress& local,
                                         const net::SocketAddress& remote, Seq peer_isn, Seq cookie,
                                         Time now) {
    const std::uint64_t age = (period_of(now) - cookie.value) & kPeriodMask;
    if (age > 1) return {};
    const unsigned mss_index = cookie.value >> kPeriodBits & ((1u << kMssBits) - 1);
    if (sign(secret, local, remote, peer_isn, mss_index, period_of(now) - age) != cookie) return {};
    return kCommonMss[mss_index];
}

std::uint32_t cookie_timestamp(std::uint32_t clock, const Options& options) {
    const std::uint32_t carried = (options.has_window_scale ? options.window_scale : kNoScale) |
                                  (options.sack_permitted ? kSackBit : 0);
    const std::uint32_t at = (clock & ~kOptionMask) | carried;
    return carried > (clock & kOptionMask) ? at - (kOptionMask + 1) : at;  // never ahead of the clock
}

void read_cookie_timestamp(std::uint32_t echoed, Options& options) {
    const std::uint32_t scale = echoed & kScaleMask;
    options.has_window_scale = scale != kNoScale;
    options.window_scale = static_cast<std::uint8_t>(options.has_window_scale ? scale : 0);
    options.sack_permitted = echoed & kSackBit;
}

}  // namespace millrace::tcp
