#pragma once
// Whether a run fits into the memory of the machine, before it begins.

#include <cstdint>

#include "bench/lab/options.h"
#include "netstack/base/error.h"

namespace millrace::bench {

// Bytes of both ends of one connection, and of the bench's own books.
std::uint64_t bytes_per_connection();

// Fails with a sentence that says how much the run takes, and what to do, if `available` bytes are too few.
Expected<void> check_memory(const LabOptions& options, std::uint64_t available);

}  // namespace millrace::bench
