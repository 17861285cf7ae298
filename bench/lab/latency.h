#pragma once
// Stage latency: one message of 32 bytes at a time, on one connection while all others idle. The time runs
// from the application's send to the application's receipt of the echo, and is judged beside the bare ring's
// ping-pong between the same cores (floor.h).

#include <cstdint>

#include "bench/lab/talker.h"
#include "bench/result/histogram.h"
#include "bench/result/result.h"
#include "netstack/base/clock.h"

namespace millrace::bench {

// The first client shard's part.
class LatencyStage {
  public:
    static constexpr std::uint64_t kPayload = 32;

    explicit LatencyStage(Duration duration) : duration_(duration) {}

    void begin(Talker& talker, Time now);
    // True when the time is over and the last message is back, or lost.
    bool tick(Talker& talker, const TscClock& clock, Time now);
    void on_message(Talker& talker, const TscClock& clock, ClientSocket& ws, const Message& message);

    LatencyResult result(const Histogram& floor) const;

  private:
    static constexpr Duration kWarmUp = 100ms;

    const Duration duration_;
    std::size_t connection_ = 0;  // index among the talker's
    bool waiting_ = false;
    Time sent_at_{};
    Time counts_from_{};
    Time ended_{};
    Patience patience_;
    std::uint64_t sent_ = 0;
    std::uint64_t lost_ = 0;
    std::uint64_t corrupted_ = 0;
    std::uint64_t counted_ = 0;
    Histogram round_trips_;
};

}  // namespace millrace::bench
