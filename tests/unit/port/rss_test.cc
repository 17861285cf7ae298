#include "netstack/port/rss.h"

#include <gtest/gtest.h>

#include <set>
#include <span>

namespace millrace::net {
namespace {

// The naive hash of Microsoft's text: for each set bit of the input, the 32 bits of the key that begin there.
std::uint32_t toeplitz(std::span<const std::uint8_t> input) {
    std::uint32_t result = 0;
    for (std::size_t bit = 0; bit < input.size() * 8; ++bit) {
        if ((input[bit / 8] >> (7 - bit % 8) & 1) == 0) continue;
        std::uint32_t window = 0;
        for (std::size_t i = bit; i < bit + 32; ++i)
            window = window << 1 | (kRssKey[i / 8] >> (7 - i % 8) & 1);
        result ^= window;
    }
    return result;
}

// "Verifying the RSS hash calculation" (Microsoft): destination, source, hash with ports, hash without.
struct Vector {
    const char* destination;
    const char* source;
    std::uint32_t with_ports, without_ports;
};
constexpr Vector kVectors[] = {
    {"161.142.100.80:1766", "66.9.149.187:2794", 0x51ccc178, 0x323e8fc2},
    {"65.69.140.83:4739", "199.92.111.2:14230", 0xc626b0ea, 0xd718262a},
    {"12.22.207.184:38024", "24.19.198.95:12898", 0x5c2b394a, 0xd2d0a5de},
    {"209.142.163.6:2217", "38.27.205.30:48228", 0xafc7327f, 0x82989176},
    {"202.188.127.2:1303", "153.39.163.191:44251", 0x10e828a2, 0x5d1809c5},
    {"[3ffe:2501:200:3::1]:1766", "[3ffe:2501:200:1fff::7]:2794", 0x40207d3d, 0x2cc18cd5},
    {"[ff02::1]:4739", "[3ffe:501:8::260:97ff:fe40:efab]:14230", 0xdde51bbf, 0x0f0c461c},
    {"[fe80::200:f8ff:fe21:67cf]:38024", "[3ffe:1900:4545:3:200:f8ff:fe21:67cf]:44251", 0x02d1feef,
     0x4b61e985},
};

TEST(Rss, HashesMicrosoftsVectors) {
    for (const Vector& v : kVectors) {
        const auto source = *parse_socket_address(v.source),
                   destination = *parse_socket_address(v.destination);
        EXPECT_EQ(Rss::hash(source, destination), v.with_ports) << v.source;
        EXPECT_EQ(Rss::hash(source.ip, destination.ip), v.without_ports) << v.source;
    }
}

TEST(Rss, TablesEqualTheBitwiseHash) {
    std::uint32_t seed = 1;
    for (int i = 0; i < 1000; ++i) {
        std::uint8_t in[12];
        for (auto& byte : in)
            byte = static_cast<std::uint8_t>((seed = seed * 1664525 + 1013904223) >> 24);
        const auto word = [&](int at) {
            return std::uint32_t{in[at]} << 24 | in[at + 1] << 16 | in[at + 2] << 8 | in[at + 3];
        };
        const SocketAddress source{Ipv4{word(0)}, static_cast<std::uint16_t>(in[8] << 8 | in[9])};
        const SocketAddress destination{Ipv4{word(4)}, static_cast<std::uint16_t>(in[10] << 8 | in[11])};
        ASSERT_EQ(Rss::hash(source, destination), toeplitz(in));
    }
}

TEST(Rss, SpreadsOverAllQueuesAndRepeatsSmallerTables) {
    for (const unsigned queues : {1u, 2u, 3u, 7u}) {
        const Rss rss(queues);
        std::set<unsigned> seen;
        for (std::uint16_t port = 1; port < 1000; ++port)
            seen.insert(rss.queue_of({Ipv4{0x0a000001}, port}, {Ipv4{0x0a000002}, 80}));
        EXPECT_EQ(seen.size(), queues);
        EXPECT_EQ(*seen.rbegin(), queues - 1);
    }
    const Rss narrow(3, 64);  // a NIC with 64 entries takes the hash modulo 64
    for (std::uint32_t hash = 0; hash < 1024; ++hash)
        EXPECT_EQ(narrow.queue_of_hash(hash), narrow.queue_of_hash(hash % 64));
}

}  // namespace
}  // namespace millrace::net
