#pragma once
// What a reduction of the congestion window was taken from, until it is known to have been right: when all
// that was sent again turns out to have arrived the first time, it is undone.

#include <algorithm>
#include <cstdint>

#include "netstack/tcp/congestion.h"
#include "netstack/tcp/options.h"
#include "netstack/tcp/seq.h"

namespace millrace::tcp {

struct Undo {
    Congestion before{};
    Seq marker;                  // SND.UNA at the reduction
    std::uint32_t first_ts = 0;  // timestamp of the first retransmission (RFC 3522 section 3.2: RetransmitTS)
    Seq first_end;               // its end
    Seq last_end;                // the furthest end of all retransmissions
    std::uint32_t unproved : 28 = 0;  // retransmissions that no D-SACK has shown to be duplicates
    bool possible : 1 = false;
    bool resent : 1 = false;  // there was a retransmission: first_ts holds
    bool by_timeout : 1 = false;
    bool reduced_again : 1 = false;  // a retransmission was lost as well

    void save(const Congestion& congestion, Seq snd_una) {
        *this = {.before = congestion, .marker = snd_una, .possible = true};
    }
    void retransmitted(Seq end, std::uint32_t timestamp) {
        if (!possible) return;
        ++unproved;
        last_end = resent ? max(last_end, end) : end;
        if (resent) return;
        resent = true;
        first_ts = timestamp;
        first_end = end;
    }
    // True when the last retransmission in doubt is now known to have been a duplicate. One of what was never
    // sent again is the network's (RFC 3708 section 2).
    bool duplicate_reported(SackBlock block, std::uint16_t mss) {
        if (!possible || unproved == 0 || block.to <= marker || block.to > last_end) return false;
        unproved -= std::min<std::uint32_t>((block.to - block.from + mss - 1) / mss, unproved);
        return unproved == 0;
    }
    // Eifel (RFC 3522 section 3.2): the ACK of what was sent again first echoes a timestamp older than that.
    bool original_arrived(Seq snd_una, std::uint32_t echo) const {
        return possible && resent && snd_una >= first_end && static_cast<std::int32_t>(echo - first_ts) < 0;
    }
};

}  // namespace millrace::tcp
