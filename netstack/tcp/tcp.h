#pragma once
// The TCP of one shard (RFC 9293 and companions): segments and the time come in, segments and events go out.
// It reads no clock and touches no port.

#include <rte_mbuf.h>

#include <cstdint>
#include <memory>
#include <span>

#include "netstack/base/address.h"
#include "netstack/base/error.h"
#include "netstack/base/time.h"
#include "netstack/carrier.h"
#include "netstack/ip/output.h"
#include "netstack/port/rss.h"

namespace millrace::tcp {

using net::CloseReason;
using net::ConnId;
using net::Ipv4;
using net::SocketAddress;

// Received bytes in the mbuf they arrived in, whose data are exactly those bytes.
class MbufBytes {
  public:
    MbufBytes() = default;
    explicit MbufBytes(rte_mbuf* packet) : packet_(packet) {}
    MbufBytes(MbufBytes&& other) noexcept : packet_(std::exchange(other.packet_, nullptr)) {}
    MbufBytes& operator=(MbufBytes&& other) noexcept {
        std::swap(packet_, other.packet_);
        return *this;
    }
    ~MbufBytes() {
        if (packet_) rte_pktmbuf_free(packet_);
    }
    std::span<std::byte> bytes() const {
        if (!packet_) return {};
        return {rte_pktmbuf_mtod(packet_, std::byte*), rte_pktmbuf_data_len(packet_)};
    }

  private:
    rte_mbuf* packet_ = nullptr;  // one segment, owned
};

using Event = net::Event<MbufBytes>;

struct Config {
    std::size_t max_connections = 65536;
    std::size_t max_half_open = 16384;      // SYN-RECEIVED; beyond it SYNs are dropped and counted
    std::uint32_t send_limit = 1u << 20;    // bytes queued and unacknowledged per connection, before prepare() refuses
    std::uint32_t receive_window = 1u << 20;  // bytes, most that is ever offered
    std::uint16_t mtu = 1500;
    Duration delayed_ack = 40ms;            // zero: acknowledge every segment at once
    Duration min_rto = 200ms;               // RFC 6298 (2.4) says 1 s SHOULD; Linux' value, allowed by RFC 8961
    Duration time_wait = 60s;               // 2 MSL (RFC 9293 section 3.4.2), with MSL 30 s
    std::array<std::uint64_t, 2> secret{};  // keys of ISNs and of the table's hash
};

}  // namespace millrace::tcp
