#pragma once
// RACK (RFC 8985 section 6): a segment is lost when one that was sent sufficiently later has been delivered.
// Times in microseconds on a circle of 2^32.

#include <algorithm>
#include <cstdint>

#include "netstack/tcp/seq.h"

namespace millrace::tcp {

// RFC 8985 section 6.2 step 2, RACK_sent_after(): segments of one poll have one time, and left in order.
constexpr bool sent_after(std::uint32_t a_at, Seq a_end, std::uint32_t b_at, Seq b_end) {
    return a_at == b_at ? a_end > b_end : static_cast<std::int32_t>(a_at - b_at) > 0;
}

// Segments reported beyond a gap that, while no reordering has been seen, leave no doubt (RFC 5681
// section 3.2, RFC 8985 section 5.1).
inline constexpr std::uint8_t kDupThreshold = 3;

struct Rack {
    std::uint32_t xmit_ts = 0;  // of the delivered segment that was sent last
    Seq end_seq;                // its end
    std::uint32_t rtt = 0;      // its round trip; 0: nothing has been delivered yet
    std::uint32_t min_rtt = 0;  // least of this busy period; 0: none
    Seq fack;                   // end of the highest segment SACKed, while any is
    Seq dsack_round;            // SND.NXT when the D-SACK of this round came
    bool in_dsack_round = false;
    std::uint8_t reo_wnd_mult = 1;
    std::uint8_t reo_wnd_persist = 0;  // recoveries until reo_wnd_mult falls back to 1

    void delivered(std::uint32_t sent_at, Seq end, std::uint32_t took) {
        if (rtt != 0 && !sent_after(sent_at, end, xmit_ts, end_seq)) return;
        xmit_ts = sent_at;
        end_seq = end;
        rtt = took;
    }

    // Step 4: the window grows once a round trip that has seen a D-SACK: what was sent again had arrived.
    void duplicate_reported(Seq snd_una, Seq snd_nxt) {
        if (in_dsack_round && snd_una < dsack_round) return;
        in_dsack_round = true;
        dsack_round = snd_nxt;
        if (reo_wnd_mult < 255) ++reo_wnd_mult;
        reo_wnd_persist = kPersist;
    }
    void recovery_ended() {
        if (reo_wnd_persist > 0 && --reo_wnd_persist == 0) reo_wnd_mult = 1;
    }
    // How much later a segment must have been sent for its delivery to tell.
    std::uint32_t reordering_window(std::uint32_t srtt) const {
        return std::min(min_rtt / 4 * reo_wnd_mult, srtt);
    }

  private:
    static constexpr std::uint8_t kPersist = 16;
};

}  // namespace millrace::tcp
