#pragma once
// The receiving end: compares every byte, where it lies, with what the stream has at its position.

#include <cstdint>

#include "bench/bulk/meter.h"
#include "bench/bulk/stream.h"
#include "netstack/stack/dpdk_carrier.h"

namespace millrace::bench {

class Receiver {
  public:
    // The carrier listens.
    Receiver(net::DpdkCarrier& carrier, const Stream& stream, const Plan& plan)
        : carrier_(carrier), stream_(stream), meter_(plan) {}

    // One turn of the shard's loop. False when the connection is over.
    bool turn(Time now);

    // When turn() has said false:
    const Meter& meter() const { return meter_; }
    std::uint64_t received() const { return received_; }
    std::uint64_t corrupted() const { return corrupted_; }  // bytes of segments that were not what was sent
    net::CloseReason reason() const { return reason_; }

  private:
    net::DpdkCarrier& carrier_;
    const Stream& stream_;
    Meter meter_;
    bool over_ = false, worked_ = false;
    std::uint64_t received_ = 0;
    std::uint64_t corrupted_ = 0;
    net::CloseReason reason_ = net::CloseReason::kNone;
};

}  // namespace millrace::bench
