#include "netstack/tcp/isn.h"

#include <bit>

namespace millrace::tcp {
namespace {

struct SipState {
    std::uint64_t v0, v1, v2, v3;

    void rounds(int n) {
        for (; n > 0; --n) {
            v0 += v1, v2 += v3;
            v1 = std::rotl(v1, 13) ^ v0, v3 = std::rotl(v3, 16) ^ v2;
            v0 = std::rotl(v0, 32);
            v2 += v1, v0 += v3;
            v1 = std::rotl(v1, 17) ^ v2, v3 = std::rotl(v3, 21) ^ v0;
            v2 = std::rotl(v2, 32);
        }
    }
    void absorb(std::uint64_t word) {
        v3 ^= word;
        rounds(2);
        v0 ^= word;
    }
};

}  // namespace

std::uint64_t siphash(const Secret& key, std::span<const std::uint64_t> words) {
    SipState s{0x736f6d6570736575 ^ key[0], 0x646f72616e646f6d ^ key[1], 0x6c7967656e657261 ^ key[0],
               0x7465646279746573 ^ key[1]};
    for (const std::uint64_t word : words)
        s.absorb(word);
    s.absorb(std::uint64_t{words.size() * 8} << 56);  // the length
    s.v2 ^= 0xff;
    s.rounds(4);
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

std::uint64_t siphash(const Secret& key, const net::IpAddress& local, const net::IpAddress& remote,
                      std::uint64_t more) {
    return siphash(key, std::array{local.high, local.low, remote.high, remote.low, more});
}

std::uint64_t flow_digest(const Secret& secret, const net::SocketAddress& local,
                          const net::SocketAddress& remote) {
    return siphash(secret, local.ip, remote.ip, std::uint64_t{local.port} << 16 | remote.port);
}

Seq initial_sequence(const Secret& secret, const net::SocketAddress& local, const net::SocketAddress& remote,
                     Time now) {
    const auto clock = static_cast<std::uint64_t>(now.time_since_epoch() / 4us);
    return Seq{static_cast<std::uint32_t>(clock + flow_digest(secret, local, remote))};
}

std::uint32_t timestamp_offset(const Secret& secret, const net::IpAddress& local,
                               const net::IpAddress& remote) {
    return static_cast<std::uint32_t>(siphash(secret, local, remote, ~std::uint64_t{0}));
}

}  // namespace millrace::tcp
