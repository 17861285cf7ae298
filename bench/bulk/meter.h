#pragma once
// What one end of a transfer did while it was measured: bytes, segments, and its core's time.

#include <time.h>

#include <algorithm>
#include <cstdint>

#include "netstack/base/time.h"
#include "netstack/stack/dpdk_carrier.h"

namespace millrace::bench {

// When to measure: for a time after a warm-up, or all of so many bytes.
struct Plan {
    Duration warm_up{};
    Duration measured{};      // 0: until `bytes` have passed
    std::uint64_t bytes = 0;  // 0: no bound
};

struct Reading {
    Time at{};
    std::uint64_t bytes = 0;
    std::uint64_t segments_sent = 0;
    std::uint64_t retransmits = 0;
    Duration busy{};      // in turns that had something to do
    Duration cpu_time{};  // that the machine gave the thread
};

class Meter {
  public:
    explicit Meter(const Plan& plan) : plan_(plan) {}

    void opened(Time now, net::DpdkCarrier& carrier) {
        from_ = now + plan_.warm_up;
        begin_ = read(now, 0, carrier);
        until_ = plan_.measured == Duration{} ? kNever : from_ + plan_.measured;
    }
    // Once a turn of the loop, at its beginning: what has passed so far, and whether the last turn had
    // something to do.
    void turn(Time now, std::uint64_t bytes, bool worked, net::DpdkCarrier& carrier) {
        if (worked) busy_ += now - last_;
        last_ = now;
        if (now >= from_ && plan_.warm_up != Duration{}) {
            begin_ = read(now, bytes, carrier);
            from_ = kNever;
        }
        if (!done_ && (now >= until_ || (plan_.bytes != 0 && bytes >= plan_.bytes))) {
            end_ = read(now, bytes, carrier);
            done_ = true;
        }
    }
    // The other end has ended the transfer: what there is, is all.
    void cut_short(Time now) { until_ = std::min(until_, now); }
    bool done() const { return done_; }

    double seconds() const { return std::chrono::duration<double>(end_.at - begin_.at).count(); }
    std::uint64_t bytes() const { return end_.bytes - begin_.bytes; }
    std::uint64_t segments_sent() const { return end_.segments_sent - begin_.segments_sent; }
    std::uint64_t retransmits() const { return end_.retransmits - begin_.retransmits; }
    double busy_share() const { return share(end_.busy - begin_.busy); }
    double cpu_share() const { return share(end_.cpu_time - begin_.cpu_time); }

  private:
    double share(Duration part) const { return std::chrono::duration<double>(part).count() / seconds(); }
    Reading read(Time now, std::uint64_t bytes, net::DpdkCarrier& carrier) const {
        timespec used{};
        ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
        const tcp::Counters& counters = carrier.stack().tcp().counters();
        return {.at = now,
                .bytes = bytes,
                .segments_sent = counters.out_segments.value(),
                .retransmits = counters.retransmitted_segments.value(),
                .busy = busy_,
                .cpu_time = std::chrono::seconds(used.tv_sec) + Duration(used.tv_nsec)};
    }

    Plan plan_;
    Time from_ = kNever, until_ = kNever, last_{};
    Duration busy_{};
    Reading begin_, end_;
    bool done_ = false;
};

}  // namespace millrace::bench
