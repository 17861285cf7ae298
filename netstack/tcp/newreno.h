#pragma once
// NewReno's congestion window (RFC 5681 section 3.1): slow start below ssthresh, then one MSS a round trip.

#include <algorithm>

#include "netstack/tcp/congestion.h"

namespace millrace::tcp {

struct NewReno {
    static void start(Congestion& c, std::uint16_t mss) {
        c = {.cwnd = initial_window(mss), .ssthresh = 0x7fffffff, .acked = 0};
    }

    static void acked(Congestion& c, std::uint32_t bytes, std::uint16_t mss) {
        if (c.cwnd < c.ssthresh) {
            c.cwnd += std::min<std::uint32_t>(bytes, 2u * mss);  // RFC 3465 section 2.3: L = 2
            return;
        }
        c.acked += bytes;
        if (c.acked < c.cwnd) return;
        c.acked -= c.cwnd;
        c.cwnd = std::min(c.cwnd + mss, kMost);
    }

    static void lost(Congestion& c, std::uint32_t in_flight, std::uint16_t mss) {
        c.ssthresh = std::max<std::uint32_t>(in_flight / 2, 2u * mss);  // equation (4)
        c.acked = 0;
    }

    static void timed_out(Congestion& c, std::uint32_t in_flight, std::uint16_t mss) {
        lost(c, in_flight, mss);
        c.cwnd = mss;  // the loss window
    }

    static void idle(Congestion& c, std::uint16_t mss) { c.cwnd = std::min(c.cwnd, initial_window(mss)); }

  private:
    static constexpr std::uint32_t kMost = 1u
                                           << 30;  // the largest window there can be (RFC 7323 section 2.3)
};
static_assert(CongestionControl<NewReno>);

}  // namespace millrace::tcp
