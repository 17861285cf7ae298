#pragma once
// Stage latency: messages of 32 bytes on one connection while all others idle. Ping-pong has one under way at
// a time; with a rate they leave by a timetable, answered or not. The time runs from the application's send
// to the application's receipt of the echo, and is judged beside the bare ring's ping-pong between the same
// cores (floor.h).

#include <cstdint>

#include "bench/lab/talker.h"
#include "bench/result/histogram.h"
#include "bench/result/result.h"
#include "bench/timing/latencies.h"
#include "bench/timing/open_loop.h"
#include "bench/timing/poll_meter.h"
#include "netstack/base/clock.h"

namespace millrace::bench {

struct LabOptions;

// The first client shard's part.
class LatencyStage {
  public:
    static constexpr Duration kWarmUp = 100ms;  // before what is measured
    static constexpr std::uint64_t kPayload = 32;

    explicit LatencyStage(const LabOptions& options) : options_(options) {}

    void begin(Talker& talker, Time now);
    // At the beginning of each turn of the loop; `idle`: the one before found nothing to do.
    void turn(Time now, bool idle) { polls_.turn(now, idle); }
    // True when the time is over and the last message is back, or lost.
    bool tick(Talker& talker, const TscClock& clock, Time now);
    void on_message(Talker& talker, const TscClock& clock, ClientSocket& ws, const Message& message);

    LatencyResult result(const Histogram& floor) const;

  private:
    static constexpr std::size_t kMostUnderWay = 1 << 20;

    bool say_what_is_due(Talker& talker, const TscClock& clock, Time now);
    void ping(Talker& talker, const TscClock& clock);

    const LabOptions& options_;
    std::size_t connection_ = 0;  // index among the talker's
    OpenLoop open_loop_;
    Recorder recorder_;
    PollMeter polls_;
    Time pinged_at_{};
    Time ended_{};
    bool sending_ = false;
    Patience patience_;
    std::uint64_t sent_ = 0;
    std::uint64_t answered_ = 0;
    std::uint64_t unsent_ = 0;
    std::uint64_t lost_ = 0;
    std::uint64_t corrupted_ = 0;
    std::uint64_t counted_ = 0;
};

}  // namespace millrace::bench
