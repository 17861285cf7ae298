#pragma once
// The floor under every latency figure of a run: one pointer thrown to and fro between the two ends' cores,
// over two of the rings that a cable is made of. No stack can be faster than that.

#include <rte_ring.h>

#include <array>
#include <cstdint>
#include <memory>

#include "bench/result/histogram.h"
#include "netstack/base/clock.h"
#include "netstack/base/error.h"

namespace millrace::bench {

// Single producer, single consumer, one ring each way.
class BareRing {
  public:
    static Expected<BareRing> create();

    bool throw_ball() { return send(*there_); }
    bool catch_ball() { return receive(*back_); }
    // The server's part: a ball that has come is thrown back.
    void return_ball() {
        if (receive(*there_)) send(*back_);
    }

  private:
    struct Free {
        void operator()(rte_ring* ring) const { rte_ring_free(ring); }
    };
    using Ring = std::unique_ptr<rte_ring, Free>;

    BareRing(Ring there, Ring back) : there_(std::move(there)), back_(std::move(back)) {}
    static bool send(rte_ring& ring) { return rte_ring_sp_enqueue(&ring, &ring) == 0; }
    static bool receive(rte_ring& ring) {
        void* ball;
        return rte_ring_sc_dequeue(&ring, &ball) == 0;
    }

    Ring there_;
    Ring back_;
};

// The client's part.
class FloorStage {
  public:
    static constexpr Duration kDuration = 250ms;

    void begin(Time now) { until_ = now + kDuration; }
    // One look at the ring. True when the time is over and the ball has come home.
    bool tick(BareRing& ring, const TscClock& clock);

    // Of all times that the stage ran.
    const Histogram& round_trips() const { return round_trips_; }

  private:
    Time until_{};
    Time thrown_{};
    bool flying_ = false;
    Histogram round_trips_;
};

}  // namespace millrace::bench
