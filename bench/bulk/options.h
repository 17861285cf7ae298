#pragma once
// The bulk transfer's command line.

#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "netstack/base/error.h"
#include "netstack/base/time.h"

namespace millrace::bench {

struct BulkOptions {
    Duration duration = 5s;   // measured, after a warm-up
    std::uint64_t bytes = 0;  // when not 0: so many, measured from the first to the last
    std::uint16_t mtu = 1500;
    std::uint64_t window = 512u << 10;  // most bytes on their way at a time
    bool checksums = true;              // computed and verified in software at both ends
    unsigned sender_core = 0, receiver_core = 0;
    std::uint64_t seed = 1;
    std::string eal;                  // empty: the embedded default
    std::optional<std::string> json;  // "-": standard output
};

// As typed, before it is judged as a whole.
struct BulkArguments {
    BulkOptions options;
    std::uint64_t mtu = 1500;
    std::vector<unsigned> cores;
};

// Adds the options to `command`; CLI11 reports what it cannot read.
void add_bulk_options(CLI::App& command, BulkArguments& arguments);

// Judges the options together and fills in what was left open, for a process that may run on `cpus`.
Expected<BulkOptions> resolve(const BulkArguments& arguments, const std::vector<unsigned>& cpus);

}  // namespace millrace::bench
