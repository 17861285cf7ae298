#pragma once
// What only some connections need, beside the two lines that all have (connection.h): a third line under the
// same index, valid while kExtra is set. Its memory is taken page by page where connections first need it.

#include <cstdint>

#include "netstack/tcp/seq.h"

namespace millrace::tcp {

// The search for the largest segment that passes (path_mtu.cc). Sizes are Eff.snd.MSS, as Connection::mss.
struct PathMtu {
    std::uint16_t agreed = 0;  // what the handshake allowed; 0: the path has not been seen to take less
    std::uint16_t proven = 0;  // passes
    std::uint16_t failed = 0;  // did not; 0: not known
    bool probing = false;      // mss is on trial
    bool probe_sent = false;   // a segment larger than `proven` ends at probe_end
    Seq probe_end;
    std::uint32_t raise_at = 0;  // milliseconds
};

// What is offered beyond the first window (window_tuning.cc).
struct ReceiveWindow {
    std::uint32_t grown = 0;        // bytes
    Seq measured_from;              // rcv_nxt then
    std::uint32_t measured_at = 0;  // microseconds
    bool measuring = false;
};

struct Extra {
    ReceiveWindow window;
    PathMtu path;
    // Milliseconds. Kept by keep_alive.cc, as all below.
    std::uint32_t heard_at = 0;          // when the peer's last segment came
    std::uint32_t keep_alive = 0;        // of silence; 0: off
    std::uint32_t user_timeout = 0;      // that the peer asked for; 0: none
    std::uint32_t unanswered_since = 0;  // valid while Connection::retries is not 0
    std::uint32_t stalled_since = 0;     // valid while `stalled`: behind a closed window, at stalled_at
    Seq stalled_at;                      // SND.NXT then
    bool stalled = false;
    std::uint8_t keep_alives = 0;  // probes unanswered
};
static_assert(sizeof(Extra) <= 64);

}  // namespace millrace::tcp
