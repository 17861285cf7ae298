#pragma once
// Initial sequence numbers nobody outside can foretell (RFC 6528): a clock plus a keyed hash of the flow.

#include <array>
#include <cstdint>
#include <span>

#include "netstack/base/address.h"
#include "netstack/base/time.h"
#include "netstack/tcp/seq.h"

namespace millrace::tcp {

using Secret = std::array<std::uint64_t, 2>;

// SipHash-2-4 (Aumasson, Bernstein 2012) of whole words.
std::uint64_t siphash(const Secret& key, std::span<const std::uint64_t> words);
inline std::uint64_t siphash(const Secret& key, std::uint64_t first, std::uint64_t second) {
    return siphash(key, std::array{first, second});
}
// Of a pair of hosts and a word more.
std::uint64_t siphash(const Secret& key, const net::IpAddress& local, const net::IpAddress& remote,
                      std::uint64_t more);

// A keyed hash of a connection's two ends.
std::uint64_t flow_digest(const Secret& secret, const net::SocketAddress& local,
                          const net::SocketAddress& remote);

// M + F(local, remote, secret), where M ticks every four microseconds (RFC 9293 section 3.4.1).
Seq initial_sequence(const Secret& secret, const net::SocketAddress& local, const net::SocketAddress& remote,
                     Time now);

// The offset of the timestamp clock for a pair of hosts (RFC 7323 section 5.4): the same for all connections
// between them, so that a peer can tell a new incarnation by its later timestamp (RFC 6191).
std::uint32_t timestamp_offset(const Secret& secret, const net::IpAddress& local,
                               const net::IpAddress& remote);

}  // namespace millrace::tcp
