#pragma once
// NewReno's congestion window (RFC 5681 section 3.1): slow start below ssthresh, then one MSS a round trip.

#include <algorithm>

#include "netstack/tcp/congestion.h"
#include "netstack/tcp/hystart.h"

namespace millrace::tcp {

struct NewReno {
    static constexpr double kBeta = 0.5;

    static void acked(Congestion& c, Growth& g, const Progress& p) {
        // RFC 3465 section 2.3: L = 2.
        if (c.cwnd < c.ssthresh) return slow_start(c, g.slow_start, p, 2u * p.mss);
        g.credit += p.bytes;
        if (g.credit < c.cwnd) return;
        g.credit -= c.cwnd;
        c.cwnd = std::min(c.cwnd + p.mss, kMostCwnd);
    }

    static void lost(Congestion& c, Growth& g, std::uint32_t flight, std::uint16_t mss) {
        c.ssthresh = std::max(static_cast<std::uint32_t>(flight * kBeta), 2u * mss);  // equation (4)
        g.credit = 0;
    }

    static void timed_out(Congestion& c, Growth& g, std::uint32_t flight, std::uint16_t mss) {
        lost(c, g, flight, mss);
    }
};
static_assert(CongestionControl<NewReno>);

}  // namespace millrace::tcp
