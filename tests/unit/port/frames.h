#pragma once
// Frames for tests, built octet by octet and checksummed by the RFC's own text, so that the code under test
// is not its own oracle.

#include <gtest/gtest.h>
#include <rte_mbuf.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "netstack/base/address.h"
#include "netstack/port/pools.h"

namespace millrace::net::test {

using Octets = std::vector<std::uint8_t>;

inline constexpr MacAddress kOurMac{{0x02, 0, 0, 0, 0, 1}};
inline constexpr MacAddress kPeerMac{{0x02, 0, 0, 0, 0, 2}};
inline constexpr Ipv4 kOurIp{0x0a000001};   // 10.0.0.1
inline constexpr Ipv4 kPeerIp{0x0a000002};  // 10.0.0.2

inline void put16(Octets& out, std::uint32_t v) {
    out.push_back(static_cast<std::uint8_t>(v >> 8));
    out.push_back(static_cast<std::uint8_t>(v));
}
inline void put32(Octets& out, std::uint32_t v) {
    put16(out, v >> 16);
    put16(out, v & 0xffff);
}
inline void set16(Octets& out, std::size_t at, std::uint32_t v) {
    out[at] = static_cast<std::uint8_t>(v >> 8);
    out[at + 1] = static_cast<std::uint8_t>(v);
}
inline void append(Octets& out, const Octets& more) {
    out.insert(out.end(), more.begin(), more.end());
}

// RFC 1071, word by word.
inline std::uint16_t rfc1071(const Octets& bytes, std::uint32_t sum = 0) {
    for (std::size_t i = 0; i < bytes.size(); ++i)
        sum += std::uint32_t{bytes[i]} << (i % 2 == 0 ? 8 : 0);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<std::uint16_t>(~sum);
}

inline Octets ethernet(const MacAddress& to, const MacAddress& from, std::uint16_t type,
                       const Octets& payload) {
    Octets frame(14 + payload.size());
    std::copy(to.octets.begin(), to.octets.end(), frame.begin());
    std::copy(from.octets.begin(), from.octets.end(), frame.begin() + 6);
    set16(frame, 12, type);
    std::copy(payload.begin(), payload.end(), frame.begin() + 14);
    return frame;
}

inline Octets ipv4(const IpAddress& source, const IpAddress& destination, std::uint8_t protocol,
                   const Octets& payload, const Octets& options = {}, std::uint16_t fragment = 0x4000,
                   std::uint8_t ttl = 64) {
    Octets packet{static_cast<std::uint8_t>(0x40 | (5 + options.size() / 4)), 0};
    put16(packet, static_cast<std::uint32_t>(20 + options.size() + payload.size()));
    put16(packet, 0);
    put16(packet, fragment);
    packet.push_back(ttl);
    packet.push_back(protocol);
    put16(packet, 0);
    put32(packet, source.v4().value);
    put32(packet, destination.v4().value);
    append(packet, options);
    set16(packet, 10, rfc1071(packet));
    append(packet, payload);
    return packet;
}

inline void put_ip(Octets& out, const IpAddress& ip) {
    if (ip.is_v4()) return put32(out, ip.v4().value);
    for (const std::uint64_t half : {ip.high, ip.low}) {
        put32(out, static_cast<std::uint32_t>(half >> 32));
        put32(out, static_cast<std::uint32_t>(half));
    }
}

// The checksum of a layer-4 packet with its pseudo-header (RFC 9293 section 3.1, RFC 8200 section 8.1).
inline std::uint16_t l4_checksum(const IpAddress& source, const IpAddress& destination, std::uint8_t protocol,
                                 const Octets& packet) {
    Octets all;
    put_ip(all, source);
    put_ip(all, destination);
    put32(all, static_cast<std::uint32_t>(packet.size()));
    put32(all, protocol);
    append(all, packet);
    return rfc1071(all);
}

// An ACK with `payload`.
inline Octets tcp(SocketAddress source, SocketAddress destination, const Octets& payload = {},
                  std::uint8_t flags = 0x10, std::uint32_t sequence = 1000) {
    Octets segment;
    put16(segment, source.port);
    put16(segment, destination.port);
    put32(segment, sequence);
    put32(segment, 2000);
    segment.push_back(5 << 4);
    segment.push_back(flags);
    put16(segment, 65535);
    put16(segment, 0);
    put16(segment, 0);
    append(segment, payload);
    set16(segment, 16, l4_checksum(source.ip, destination.ip, 6, segment));
    return segment;
}

inline Octets tcp_frame(SocketAddress source, SocketAddress destination, const Octets& payload = {}) {
    return ethernet(kOurMac, kPeerMac, 0x0800,
                    ipv4(source.ip, destination.ip, 6, tcp(source, destination, payload)));
}

inline Octets icmp(std::uint8_t type, std::uint8_t code, std::uint32_t rest, const Octets& payload) {
    Octets message{type, code};
    put16(message, 0);
    put32(message, rest);
    append(message, payload);
    set16(message, 2, rfc1071(message));
    return message;
}

inline Octets arp(std::uint16_t operation, const MacAddress& sender_mac, Ipv4 sender,
                  const MacAddress& target_mac, Ipv4 target) {
    Octets packet;
    put16(packet, 1);
    put16(packet, 0x0800);
    packet.push_back(6);
    packet.push_back(4);
    put16(packet, operation);
    packet.insert(packet.end(), sender_mac.octets.begin(), sender_mac.octets.end());
    put32(packet, sender.value);
    packet.insert(packet.end(), target_mac.octets.begin(), target_mac.octets.end());
    put32(packet, target.value);
    return packet;
}

inline Octets text(std::string_view s) {
    return Octets(s.begin(), s.end());
}

// The bytes of a packet, chain or not.
inline Octets bytes_of(const rte_mbuf* packet) {
    Octets bytes;
    for (const rte_mbuf* part = packet; part; part = part->next) {
        const auto* data = rte_pktmbuf_mtod(part, const std::uint8_t*);
        bytes.insert(bytes.end(), data, data + part->data_len);
    }
    return bytes;
}

inline Octets octets(std::span<const std::byte> bytes) {
    const auto* first = reinterpret_cast<const std::uint8_t*>(bytes.data());
    return Octets(first, first + bytes.size());
}

// A pool that checks, when it dies, that every mbuf has come back.
class TestPool {
  public:
    explicit TestPool(unsigned mbufs = 512, std::uint16_t private_bytes = 0)
        : pool_(*Pool::create({.purpose = "test", .mbufs = mbufs, .private_bytes = private_bytes})) {}
    ~TestPool() { EXPECT_EQ(in_use(), 0u) << "mbufs leaked"; }

    rte_mempool* get() const { return pool_.get(); }
    unsigned in_use() const { return rte_mempool_in_use_count(pool_.get()); }
    rte_mbuf* mbuf(const Octets& bytes) {
        rte_mbuf* packet = rte_pktmbuf_alloc(pool_.get());
        if (packet) std::copy(bytes.begin(), bytes.end(), append_to(packet, bytes.size()));
        return packet;
    }
    // To be cut by the port behind each `each` bytes of payload.
    rte_mbuf* large_send(const Octets& segment, std::uint16_t header_bytes, std::uint16_t each) {
        rte_mbuf* packet = chain(segment, header_bytes + each);
        packet->ol_flags |= RTE_MBUF_F_TX_TCP_SEG;
        packet->tso_segsz = each;
        return packet;
    }
    // Cut into segments of `part` bytes.
    rte_mbuf* chain(const Octets& bytes, std::size_t part) {
        rte_mbuf* head =
            mbuf(Octets(bytes.begin(), bytes.begin() + static_cast<long>(std::min(part, bytes.size()))));
        for (std::size_t at = part; at < bytes.size(); at += part)
            rte_pktmbuf_chain(
                head, mbuf(Octets(bytes.begin() + static_cast<long>(at),
                                  bytes.begin() + static_cast<long>(std::min(at + part, bytes.size())))));
        return head;
    }

  private:
    static std::uint8_t* append_to(rte_mbuf* packet, std::size_t n) {
        return reinterpret_cast<std::uint8_t*>(rte_pktmbuf_append(packet, static_cast<std::uint16_t>(n)));
    }
    Pool pool_;
};

// A reproducible stream of numbers.
class Numbers {
  public:
    explicit Numbers(std::uint64_t seed) : state_(seed * 2 + 1) {}
    std::uint32_t below(std::uint32_t bound) {
        state_ = state_ * 6364136223846793005u + 1442695040888963407u;
        return static_cast<std::uint32_t>((state_ >> 33) % bound);
    }

  private:
    std::uint64_t state_;
};

}  // namespace millrace::net::test
