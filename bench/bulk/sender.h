#pragma once
// The sending end: one connection, kept full, every byte written in place into the segments that leave.

#include <cstdint>

#include "bench/bulk/meter.h"
#include "bench/bulk/stream.h"
#include "netstack/stack/dpdk_carrier.h"

namespace millrace::bench {

class Sender {
  public:
    Sender(net::DpdkCarrier& carrier, const Stream& stream, const Plan& plan, net::SocketAddress to)
        : carrier_(carrier), stream_(stream), bound_(plan.bytes), meter_(plan), to_(to) {}

    // One turn of the shard's loop. False when the connection is over.
    bool turn(Time now);

    // When turn() has said false:
    const Meter& meter() const { return meter_; }
    std::uint64_t sent() const { return sent_; }
    std::uint16_t mss() const { return mss_; }
    net::CloseReason reason() const { return reason_; }

  private:
    // So much is written before it is sent: what a burst carries, and what the first-level cache holds on the
    // way from the pattern to the checksum and the wire.
    static constexpr unsigned kSegmentsATurn = 16;

    void open(Time now);
    void write();

    net::DpdkCarrier& carrier_;
    const Stream& stream_;
    const std::uint64_t bound_;
    Meter meter_;
    net::SocketAddress to_;
    net::ConnId conn_ = net::kNoConn;
    std::uint16_t mss_ = 0;
    bool established_ = false, closing_ = false, over_ = false, worked_ = false;
    std::uint64_t sent_ = 0;
    std::uint64_t segments_in_ = 0;
    net::CloseReason reason_ = net::CloseReason::kNone;
};

}  // namespace millrace::bench
