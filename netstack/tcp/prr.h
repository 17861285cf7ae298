#pragma once
// Proportional rate reduction (RFC 6937): during fast recovery each ACK lets out a share of what it reports
// as delivered, so that the window comes down to ssthresh over one round trip instead of in a silence.

#include <algorithm>
#include <cstdint>

namespace millrace::tcp {

struct Prr {
    std::uint32_t recover_fs = 0;  // RecoverFS: bytes outstanding when recovery began
    std::uint32_t delivered = 0;   // prr_delivered
    std::uint32_t out = 0;         // prr_out

    // SndCnt of section 3.1: bytes that may leave on an ACK that delivered `bytes`. `safe`: SND.UNA advanced
    // and no further loss was found, so slow start (SSRB) is no risk where the pipe has fallen below
    // ssthresh.
    std::uint32_t allowance(std::uint32_t bytes, std::uint32_t pipe, std::uint32_t ssthresh,
                            std::uint16_t mss, bool safe) {
        delivered += bytes;
        std::int64_t count;
        if (pipe > ssthresh) {
            const std::uint64_t share =
                (std::uint64_t{delivered} * ssthresh + recover_fs - 1) / std::max(recover_fs, 1u);
            count = static_cast<std::int64_t>(share) - out;
        } else {
            std::int64_t limit = std::int64_t{delivered} - out;
            if (safe) limit = std::max<std::int64_t>(limit, bytes) + mss;
            count = std::min<std::int64_t>(ssthresh - pipe, limit);
        }
        if (out == 0) count = std::max<std::int64_t>(count, mss);  // the fast retransmit itself
        return static_cast<std::uint32_t>(std::max<std::int64_t>(count, 0));
    }
};

}  // namespace millrace::tcp
