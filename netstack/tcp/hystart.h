#pragma once
// Slow start that ends before it overflows the path's buffers (HyStart++, RFC 9406): when the round trips of
// one round are longer than those of the last, a queue is building up. The window then grows at a quarter of
// the pace for five rounds, and slow start is over, unless the round trips get shorter again: then it was
// chance. Only for a connection's first slow start; one after a loss knows where to stop.

#include <algorithm>
#include <cstdint>

#include "netstack/tcp/congestion.h"

namespace millrace::tcp {

// Section 4.3.
inline constexpr std::uint32_t kMinRttThresh = 4'000;  // microseconds
inline constexpr std::uint32_t kMaxRttThresh = 16'000;
inline constexpr std::uint32_t kMinRttDivisor = 8;
inline constexpr std::uint8_t kRttSamples = 8;
inline constexpr std::uint32_t kCssGrowthDivisor = 4;
inline constexpr std::uint8_t kCssRounds = 5;

// A round is what is sent until the first of it is acknowledged.
inline void begin_round(HyStart& h, Seq snd_nxt) {
    h.window_end = snd_nxt;
    if (!h.conservative) h.last_min_rtt = h.min_rtt;
    h.min_rtt = HyStart::kNone;
    h.samples = 0;
}

// Is a queue building up, or was that an error?
inline void judge_round_trips(HyStart& h) {
    if (h.samples < kRttSamples) return;
    if (h.conservative) {
        if (h.min_rtt >= h.last_min_rtt) return;
        h.conservative = false;
        h.last_min_rtt = HyStart::kNone;
    } else if (h.last_min_rtt != HyStart::kNone) {
        const std::uint32_t threshold =
            std::clamp(h.last_min_rtt / kMinRttDivisor, kMinRttThresh, kMaxRttThresh);
        if (h.min_rtt < h.last_min_rtt + threshold) return;
        h.conservative = true;
        h.last_min_rtt = h.min_rtt;  // cssBaselineMinRtt
        h.css_rounds = 0;
    }
}

// cwnd is below ssthresh. `most`: by so many bytes an acknowledgment opens the window at most.
inline void slow_start(Congestion& c, HyStart& h, const Progress& p, std::uint32_t most) {
    const std::uint32_t growth = std::min(p.bytes, most);
    if (c.ssthresh != kFirstSsthresh) {
        c.cwnd += growth;
        return;
    }
    if (!h.in_round) {
        h.in_round = true;
        begin_round(h, p.snd_nxt);
    }
    if (p.rtt != 0) {
        h.min_rtt = std::min(h.min_rtt, p.rtt);
        if (h.samples < kRttSamples) ++h.samples;
    }
    judge_round_trips(h);
    c.cwnd += h.conservative ? growth / kCssGrowthDivisor : growth;
    if (p.snd_una < h.window_end) return;
    if (h.conservative && ++h.css_rounds == kCssRounds) c.ssthresh = c.cwnd;
    begin_round(h, p.snd_nxt);
}

}  // namespace millrace::tcp
