#pragma once
// What a shard's loop did with its time while it measured: the share in which it had nothing to do, and the
// gaps. A turn that finds nothing to do takes a fraction of a microsecond; one that took long all the same
// was not the program's: the machine was elsewhere. This is the jitter trace that latencies are read against.

#include <algorithm>
#include <cstdint>
#include <vector>

#include "bench/result/histogram.h"
#include "netstack/base/time.h"

namespace millrace::bench {

struct Gap {
    Duration at{};  // since the measuring began
    Duration length{};
};

struct PollTrace {
    unsigned core = 0;
    Duration idle{}, busy{};
    Histogram idle_turns;
    std::vector<Gap> gaps;  // the longest, in no order
    std::uint64_t all_gaps = 0;
    Duration in_gaps{};
};

class PollMeter {
  public:
    static constexpr Duration kGap = 10us;  // of an idle turn, at least
    static constexpr std::size_t kMostGaps = 512;

    // Takes the memory: nothing is allocated after this.
    void begin(Time from, Time until, unsigned core) {
        from_ = from;
        until_ = until;
        last_ = {};
        trace_ = {};
        trace_.core = core;
        trace_.gaps.reserve(kMostGaps);
    }
    // At the beginning of each turn; `idle`: the one before found nothing to do.
    void turn(Time now, bool idle) {
        const Duration took = now - last_;
        const bool counts = last_ >= from_ && now <= until_ && last_ != Time{};
        last_ = now;
        if (!counts) return;
        if (!idle) {
            trace_.busy += took;
            return;
        }
        trace_.idle += took;
        trace_.idle_turns.record(took);
        if (took >= kGap) [[unlikely]]
            gap({now - took - from_, took});
    }

    const PollTrace& trace() const { return trace_; }

  private:
    static bool longer(const Gap& a, const Gap& b) { return a.length > b.length; }

    // The shortest one kept is on top of the heap.
    void gap(const Gap& gap) {
        ++trace_.all_gaps;
        trace_.in_gaps += gap.length;
        auto& gaps = trace_.gaps;
        if (gaps.size() == kMostGaps) {
            if (gap.length <= gaps.front().length) return;
            std::pop_heap(gaps.begin(), gaps.end(), longer);
            gaps.pop_back();
        }
        gaps.push_back(gap);
        std::push_heap(gaps.begin(), gaps.end(), longer);
    }

    Time from_{}, until_{}, last_{};
    PollTrace trace_;
};

}  // namespace millrace::bench
