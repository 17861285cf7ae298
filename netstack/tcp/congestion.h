#pragma once
// Congestion control: how many bytes may be in flight. An algorithm is a set of static functions over
// Congestion; which losses there were is told by loss recovery (recovery.cc), which knows nothing of the
// sums.

#include <concepts>
#include <cstdint>

namespace millrace::tcp {

struct Congestion {
    std::uint32_t cwnd;
    std::uint32_t ssthresh;
    std::uint32_t acked;  // bytes acknowledged towards the next increase (RFC 5681 section 3.1, RFC 3465)
};

// RFC 6928: min(10 * MSS, max(2 * MSS, 14600)).
constexpr std::uint32_t initial_window(std::uint16_t mss) {
    const std::uint32_t ten = 10u * mss;
    const std::uint32_t floor = 2u * mss > 14600 ? 2u * mss : 14600;
    return ten < floor ? ten : floor;
}

template <class A>
concept CongestionControl = requires(Congestion& state, std::uint32_t bytes, std::uint16_t mss) {
    A::start(state, mss);
    A::acked(state, bytes, mss);      // `bytes` newly acknowledged, no loss, and cwnd was in use
    A::lost(state, bytes, mss);       // a loss was found with `bytes` in flight: sets ssthresh
    A::timed_out(state, bytes, mss);  // first timeout of a segment with `bytes` in flight
    A::idle(state, mss);              // nothing was sent for an RTO (RFC 5681 section 4.1)
};

}  // namespace millrace::tcp
