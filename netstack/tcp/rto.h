#pragma once
// The retransmission timeout (RFC 6298). Times in microseconds.

#include <algorithm>
#include <cstdint>

namespace millrace::tcp {

inline constexpr std::uint32_t kInitialRto = 1'000'000;       // (2.1)
inline constexpr std::uint32_t kRtoAfterLostSyn = 3'000'000;  // (5.7)
inline constexpr std::uint8_t kMostBackoff = 16;              // doublings
inline constexpr std::uint32_t kMaxRto = 60'000'000;          // (2.5)

// Smoothed round-trip time. srtt is kept times 8 and rttvar times 4, so that the gains of 1/8 and 1/4 round
// off nothing.
struct RttEstimate {
    std::uint32_t srtt8 = 0;  // 0: no sample yet
    std::uint32_t rttvar4 = 0;

    // False: that is no round trip. The clock has jumped, by the sleep of the machine or its guest.
    bool sample(std::uint32_t rtt) {
        if (rtt > kMaxRto) return false;
        rtt = std::max<std::uint32_t>(rtt, 1);
        if (srtt8 == 0) {  // (2.2)
            srtt8 = rtt * 8;
            rttvar4 = rtt * 2;
            return true;
        }
        const std::uint32_t srtt = srtt8 / 8;  // (2.3): RTTVAR before SRTT
        const std::uint32_t off = srtt > rtt ? srtt - rtt : rtt - srtt;
        rttvar4 += off - rttvar4 / 4;
        srtt8 += rtt - srtt;
        return true;
    }

    // `min_rto` bounds the variance's term, not the sum: a path whose round trip comes near the minimum would
    // otherwise time out on the peer's delayed ACK. Never less than (2.4)'s bound on the sum.
    std::uint32_t rto(std::uint32_t min_rto, unsigned backoff) const {
        const std::uint64_t base = srtt8 == 0 ? kInitialRto : srtt8 / 8 + std::max(rttvar4, min_rto);
        return static_cast<std::uint32_t>(
            std::min<std::uint64_t>(base << std::min<unsigned>(backoff, kMostBackoff), kMaxRto));
    }
};

}  // namespace millrace::tcp
