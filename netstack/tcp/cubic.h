#pragma once
// CUBIC's congestion window (RFC 9438): after a loss the window returns along a cubic of the time since, fast
// at first, flat near where the loss was, and faster again beyond; never slower than Reno would. W is in
// segments, t and K in seconds.

#include <algorithm>
#include <cmath>

#include "netstack/tcp/congestion.h"
#include "netstack/tcp/hystart.h"

namespace millrace::tcp {

struct Cubic {
    static constexpr double kC = 0.4;                                // section 5
    static constexpr double kBeta = 0.7;                             // section 4.6
    static constexpr double kAlpha = 3 * (1 - kBeta) / (1 + kBeta);  // section 4.3

    static void acked(Congestion& c, Growth& g, const Progress& p) {
        // Section 4.10; RFC 9406 section 4.2: L = 8 without pacing.
        if (c.cwnd < c.ssthresh) return slow_start(c, g.slow_start, p, 8u * p.mss);
        const double cwnd = static_cast<double>(c.cwnd) / p.mss;
        const double acked = static_cast<double>(p.bytes) / p.mss;
        if (!g.in_epoch) begin_epoch(c, g, p, cwnd);
        // Section 4.3, the region where Reno would be ahead: AIMD(alpha, beta), and Reno's own pace from the
        // window on at which the loss was.
        const bool recovered = g.w_est * p.mss >= g.cwnd_prior;
        g.w_est += (recovered ? 1 : kAlpha) * acked / cwnd;
        const double t = static_cast<std::int32_t>(p.now - g.epoch_start) * 1e-6;
        double gain;
        if (at(g, t) < g.w_est) {
            gain = g.w_est - cwnd - g.credit / p.mss;
        } else {  // sections 4.4 and 4.5: towards where the curve will be a round trip from now
            gain = (std::clamp(at(g, t + p.srtt * 1e-6), cwnd, 1.5 * cwnd) - cwnd) * acked / cwnd;
        }
        g.credit += std::max(gain, 0.0) * p.mss;
        const auto whole = static_cast<std::uint32_t>(std::min<double>(g.credit, kMostCwnd));
        g.credit -= whole;
        c.cwnd = std::min(c.cwnd + whole, kMostCwnd);
    }

    static void lost(Congestion& c, Growth& g, std::uint32_t flight, std::uint16_t mss) {
        // Section 4.7, fast convergence: a window that did not come back to where it was gives way to others.
        const bool shrinking = c.cwnd < c.w_max;
        c.w_max = shrinking ? static_cast<std::uint32_t>(c.cwnd * ((1 + kBeta) / 2)) : c.cwnd;
        g = {.cwnd_prior = c.cwnd};
        c.ssthresh = std::max(static_cast<std::uint32_t>(flight * kBeta), 2u * mss);  // section 4.6
    }

    // Section 4.8: the curve of the next congestion avoidance begins at its plateau.
    static void timed_out(Congestion& c, Growth& g, std::uint32_t flight, std::uint16_t mss) {
        lost(c, g, flight, mss);
        c.w_max = 0;
    }

    // W_cubic(t), equation (1).
    static double at(const Growth& g, double t) {
        const double from_plateau = t - g.k;
        return g.origin + kC * from_plateau * from_plateau * from_plateau;
    }

  private:
    static void begin_epoch(Congestion& c, Growth& g, const Progress& p, double cwnd) {
        g.in_epoch = true;
        g.epoch_start = p.now;
        g.credit = 0;
        g.w_est = cwnd;
        if (c.w_max == 0) c.w_max = c.cwnd;
        if (g.cwnd_prior == 0) g.cwnd_prior = c.w_max;
        const double plateau = std::max(static_cast<double>(c.w_max) / p.mss, cwnd);
        g.origin = static_cast<float>(plateau);
        g.k = static_cast<float>(std::cbrt((plateau - cwnd) / kC));  // equation (2)
    }
};
static_assert(CongestionControl<Cubic>);

}  // namespace millrace::tcp
