#pragma once
// What a shard's TCP is told when it is created.

#include <array>
#include <cstddef>
#include <cstdint>

#include "netstack/base/address.h"
#include "netstack/base/time.h"
#include "netstack/tcp/congestion.h"

namespace millrace::tcp {

struct Config {
    std::size_t max_connections = 65536;
    std::size_t max_half_open = 16384;  // SYN-RECEIVED; beyond it SYNs are answered with cookies
    std::uint32_t send_limit =
        1u << 20;  // bytes queued and unacknowledged per connection, before prepare() refuses
    std::uint32_t receive_window = 1u << 20;       // bytes, most that is ever offered
    std::uint32_t first_window = 64u << 10;        // and what a connection begins with (window_tuning.cc)
    std::uint64_t max_window_growth = 256u << 20;  // bytes offered beyond it to all connections together
    std::uint64_t max_reassembly = 64u << 20;      // bytes held for all connections, out of order or paused
    std::uint16_t mtu = 1500;
    CongestionAlgorithm congestion = CongestionAlgorithm::kCubic;
    bool sack = true;            // offered and accepted (RFC 2018); else NewReno recovers alone
    unsigned large_send = 1;     // segments that the port cuts one packet into (TSO); 1: it does not
    Duration delayed_ack{};      // zero: what a poll brought is acknowledged with its flush
    std::uint8_t ack_every = 2;  // full segments that are acknowledged at once all the same; at least 1
    Duration min_rto = 200ms;    // RFC 6298 (2.4) says 1 s SHOULD; Linux' value, allowed by RFC 8961
    Duration time_wait = 60s;    // 2 MSL (RFC 9293 section 3.4.2), with MSL 30 s
    // A peer that is silent so long after our FIN is given up; 30 minutes at most; zero: never.
    Duration fin_wait_2 = 60s;
    Duration keep_alive{};  // silence after which the peer is probed (RFC 9293 section 3.8.4); zero: off
    Duration keep_alive_interval = 75s;  // between unanswered probes,
    std::uint8_t keep_alive_probes = 9;  // of which so many end the connection
    Duration user_timeout{};             // RFC 5482, at most 2 h; zero: retransmissions are counted instead
    Duration user_timeout_most{};        // up to which a peer's option may name another; zero: it is ignored
    std::array<std::uint64_t, 2> secret{};  // keys of ISNs and of the table's hash
};

// `latency`, the default: nothing waits. `throughput`: an ACK for every eighth segment, which spares both
// ends most of their packets and costs the sender some of the ACK clock's evenness.
enum class Preset : std::uint8_t { kLatency, kThroughput };

inline void apply(Preset preset, Config& config) {
    const bool throughput = preset == Preset::kThroughput;
    config.delayed_ack = throughput ? Duration{20ms} : Duration{};
    config.ack_every = throughput ? 8 : 2;
}

// Consecutive local addresses: connect() takes its source addresses and ports from them.
struct AddressRange {
    net::IpAddress first;
    std::uint32_t count = 1;
};

}  // namespace millrace::tcp
