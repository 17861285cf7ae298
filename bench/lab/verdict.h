#pragma once
// Whether a run may be believed: everything that was sent came back, and was what had been sent.

#include "bench/result/result.h"

namespace millrace::bench {

// What the servers have seen in the whole run.
struct ServerTotals {
    std::uint64_t verified_bytes = 0;
    std::uint64_t corrupted = 0;
    std::uint64_t refused = 0;
};

// Adds a sentence to result.invalid_because for each thing that is wrong. `corrupted` and `connections_lost`
// are the clients' of the whole run.
void judge(Result& result, const ServerTotals& server, std::uint64_t corrupted,
           std::uint64_t connections_lost);

}  // namespace millrace::bench
