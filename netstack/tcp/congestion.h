#pragma once
// Congestion control: how many bytes may be in flight. An algorithm is a set of static functions over
// Congestion, which a connection always has, and Growth, which exists while it is busy. Which losses there
// were is told by loss recovery (recovery.cc), which knows nothing of the sums.

#include <concepts>
#include <cstdint>

#include "netstack/tcp/seq.h"

namespace millrace::tcp {

struct Congestion {
    std::uint32_t cwnd;
    std::uint32_t ssthresh;
    std::uint32_t w_max;  // CUBIC: cwnd before the last reduction (RFC 9438 section 4.1.2); 0: not known
};

// What the first slow start has seen of round trips (hystart.h). Times in microseconds.
struct HyStart {
    static constexpr std::uint32_t kNone = 0xffffffff;

    Seq window_end;                 // the round ends when it is acknowledged
    std::uint32_t min_rtt = kNone;  // of this round
    std::uint32_t last_min_rtt =
        kNone;                 // of the last; in conservative slow start that of the round it began in
    std::uint8_t samples = 0;  // of this round, as far as they count
    std::uint8_t css_rounds = 0;
    bool in_round = false;
    bool conservative = false;  // CSS: conservative slow start
};

// How the window grows. When nothing is left to send it is forgotten: the next busy period begins where this
// one ended, at the same window.
struct Growth {
    double credit = 0;              // bytes acknowledged, or won, towards the next step of cwnd
    double w_est = 0;               // CUBIC, segments: what Reno would have; as below RFC 9438 section 4.1.2
    float origin = 0;               // segments: where the curve has its plateau
    float k = 0;                    // seconds from epoch_start to there
    std::uint32_t epoch_start = 0;  // microseconds
    std::uint32_t cwnd_prior = 0;   // bytes; 0: not known
    bool in_epoch = false;          // else the curve begins anew, at cwnd, with the next acknowledgment
    HyStart slow_start;
};

// An acknowledgment of new data, with the window in use and no loss.
struct Progress {
    std::uint32_t bytes;
    std::uint16_t mss;
    std::uint32_t now;  // microseconds, as below
    std::uint32_t srtt;
    std::uint32_t rtt = 0;  // of the newest segment acknowledged; 0: not known
    Seq snd_una, snd_nxt;
};

enum class CongestionAlgorithm : std::uint8_t { kCubic, kNewReno };

// RFC 6928: min(10 * MSS, max(2 * MSS, 14600)).
constexpr std::uint32_t initial_window(std::uint16_t mss) {
    const std::uint32_t ten = 10u * mss;
    const std::uint32_t floor = 2u * mss > 14600 ? 2u * mss : 14600;
    return ten < floor ? ten : floor;
}

inline constexpr std::uint32_t kMostCwnd = 1u
                                           << 30;  // the largest window there can be (RFC 7323 section 2.3)

inline constexpr std::uint32_t kFirstSsthresh = 0x7fffffff;  // arbitrarily high (RFC 5681 section 3.1)

// What is the same for all.
inline void start_window(Congestion& c, std::uint16_t mss) {
    c = {.cwnd = initial_window(mss), .ssthresh = kFirstSsthresh, .w_max = 0};
}
// Nothing was sent for an RTO (RFC 5681 section 4.1).
inline void restart_window(Congestion& c, std::uint16_t mss) {
    if (c.cwnd > initial_window(mss)) c.cwnd = initial_window(mss);
}

template <class A>
concept CongestionControl = requires(Congestion& state, Growth& growth, const Progress& progress,
                                     std::uint32_t flight, std::uint16_t mss) {
    A::acked(state, growth, progress);
    A::lost(state, growth, flight, mss);  // a loss was found with `flight` bytes outstanding: sets ssthresh
    A::timed_out(state, growth, flight, mss);  // first timeout of a segment: sets ssthresh
};

}  // namespace millrace::tcp
