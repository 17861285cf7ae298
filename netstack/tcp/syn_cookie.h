#pragma once
// SYN cookies (RFC 4987 section 3.6): once too many handshakes are half open, a SYN is answered and
// forgotten. The ISN of the SYN-ACK names the peer's MSS and is signed; the ACK that completes the handshake
// brings it back. What has no room there rides in the low bits of the SYN-ACK's timestamp, which the ACK
// echoes: without timestamps window scaling and SACK are given up.
//
//     ISN          | signature, 27 bits | MSS, 3 bits | period, 2 bits |
//     timestamp    | clock, 27 bits, rounded down | SACK permitted | window scale, 4 bits; 15: none |

#include <cstdint>
#include <optional>

#include "netstack/base/address.h"
#include "netstack/base/time.h"
#include "netstack/tcp/isn.h"
#include "netstack/tcp/options.h"
#include "netstack/tcp/seq.h"

namespace millrace::tcp {

// The period in which a cookie was made and the one after it are those in which it is taken.
inline constexpr Duration kCookiePeriod = 64s;
inline constexpr Duration kCookieLife = 2 * kCookiePeriod;

// What the peers of either family announce: the largest that is no larger than `mss` stands for it.
std::uint16_t common_mss(std::uint16_t mss);

// The ISN for a SYN with sequence number `peer_isn` that announced `mss`.
Seq make_cookie(const Secret& secret, const net::SocketAddress& local, const net::SocketAddress& remote,
                Seq peer_isn, std::uint16_t mss, Time now);
// The MSS that an ISN of ours was made for; nothing when it was not, or too long ago.
std::optional<std::uint16_t> read_cookie(const Secret& secret, const net::SocketAddress& local,
                                         const net::SocketAddress& remote, Seq peer_isn, Seq cookie,
                                         Time now);

// The timestamp, at or before `clock`, that carries `options`; and what an echoed one carried.
std::uint32_t cookie_timestamp(std::uint32_t clock, const Options& options);
void read_cookie_timestamp(std::uint32_t echoed, Options& options);

}  // namespace millrace::tcp
