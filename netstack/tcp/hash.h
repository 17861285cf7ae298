#pragma once
// The keyed hash of a flow for the connection table: two multiplications folded over the shard's secret, a
// few nanoseconds for each segment. It has to keep strangers from aiming at a bucket, no more; ISNs, which
// strangers see, come from SipHash (isn.h).

#include <array>
#include <cstdint>

#include "netstack/base/address.h"

namespace millrace::tcp {

inline std::uint32_t hash_flow(const net::SocketAddress& remote, const net::SocketAddress& local,
                               const std::array<std::uint64_t, 2>& secret) {
    __extension__ using Wide = unsigned __int128;
    const auto fold = [](std::uint64_t a, std::uint64_t b) {
        const auto product = Wide{a} * b;
        return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
    };
    // The halves of IPv6 addresses are folded by themselves first; IPv4 ones fit a word as they are.
    const std::uint64_t ips =
        remote.ip.is_v4()
            ? std::uint64_t{remote.ip.v4().value} << 32 | local.ip.v4().value
            : fold(remote.ip.high ^ secret[0], remote.ip.low ^ secret[1] ^ 0xa0761d6478bd642f) ^
                  fold(local.ip.high ^ secret[1], local.ip.low ^ secret[0] ^ 0xe7037ed1a0b428db);
    const std::uint64_t ports = std::uint64_t{remote.port} << 16 | local.port;
    const std::uint64_t mixed = fold(ips ^ secret[0], ports ^ secret[1] ^ 0x9e3779b97f4a7c15);
    return static_cast<std::uint32_t>(fold(mixed ^ secret[1], 0xd6e8feb86659fd93) >> 16);
}

}  // namespace millrace::tcp
