#pragma once
// What a run measures of its messages, in the time that counts. Two latencies are kept apart, and neither is
// made from the other: from when a message was meant to leave, which charges a stall to all that waited for
// it, and from when it did leave.
//
// Round trips are kept by parts of the run: one part's messages have little to do with another's, which is
// what comparing runs rests on (bench/report/).

#include <algorithm>
#include <vector>

#include "bench/result/histogram.h"
#include "bench/timing/heat_map.h"

namespace millrace::bench {

struct Latencies {
    static constexpr std::size_t kParts = 16;

    std::vector<Histogram> rtt_parts;  // in order; empty before begin()
    Histogram service;                 // from the actual send to the answer
    Histogram send_lag;                // from the intended to the actual send
    HeatMap heat;                      // of round trips, by the time of the intended send

    Histogram rtt() const {  // from the intended send to the answer
        Histogram all;
        for (const Histogram& part : rtt_parts)
            all.merge(part);
        return all;
    }
    void merge(const Latencies& other) {
        rtt_parts.resize(std::max(rtt_parts.size(), other.rtt_parts.size()));
        for (std::size_t i = 0; i < other.rtt_parts.size(); ++i)
            rtt_parts[i].merge(other.rtt_parts[i]);
        service.merge(other.service);
        send_lag.merge(other.send_lag);
        heat.merge(other.heat);
    }
};

// Of one shard. Messages count whose intended send lies in the time that is measured.
class Recorder {
  public:
    // Takes the memory: nothing is allocated after this.
    void begin(Time from, Duration duration) {
        from_ = from;
        until_ = from + duration;
        part_ = std::max<Duration>(duration / Latencies::kParts, Duration(1));
        latencies_ = {};
        latencies_.rtt_parts.resize(Latencies::kParts);
        latencies_.heat.begin(from, duration);
    }
    // The run ends before its time,
    void end(Time at) { until_ = std::min(until_, at); }
    // or goes on.
    void extend(Time at) { until_ = std::max(until_, at); }

    bool counts(Time intended) const { return intended >= from_ && intended < until_; }
    Time from() const { return from_; }
    Time until() const { return until_; }

    void sent(Time intended, Time at) {
        if (counts(intended)) latencies_.send_lag.record(at - intended);
    }
    void answered(Time intended, Time sent, Time at) {
        if (!counts(intended)) return;
        const auto part = static_cast<std::size_t>((intended - from_) / part_);
        latencies_.rtt_parts[std::min(part, Latencies::kParts - 1)].record(at - intended);
        latencies_.service.record(at - sent);
        latencies_.heat.record(intended, at - intended);
    }

    const Latencies& latencies() const { return latencies_; }

  private:
    Time from_{}, until_{};
    Duration part_{1};
    Latencies latencies_;
};

}  // namespace millrace::bench
