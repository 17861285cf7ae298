#include "bench/bulk/options.h"

#include "bench/options/bind.h"
#include "bench/options/cores.h"
#include "engine/options/units.h"

namespace millrace::bench {

void add_bulk_options(CLI::App& command, BulkArguments& arguments) {
    BulkOptions& options = arguments.options;
    bind_option(command, "-d,--duration", options.duration, parse_duration,
                "how long to measure, after a warm-up (default 5s)");
    bind_option(command, "--bytes", options.bytes, parse_bytes,
                "transfer so many bytes instead, and measure from the first to the last");
    bind_option(command, "--mtu", arguments.mtu, parse_count, "bytes of an IP packet (default 1500)");
    bind_option(command, "--window", options.window, parse_bytes,
                "most bytes on their way at a time (default 512KiB)");
    command
        .add_option_function<std::string>(
            "--checksums", [&options](const std::string& text) { options.checksums = text == "software"; },
            "IPv4 and TCP checksums: computed and verified in software at both ends, or left out, as "
            "with a NIC that does both (default software)")
        ->check(CLI::IsMember({"software", "none"}));
    bind_option(command, "--cores", arguments.cores, parse_cores,
                "the sender's CPU and the receiver's (default: the first two; with one, both ends share it)");
    bind_option(command, "--seed", options.seed, parse_count, "what the bytes follow from (default 1)");
    command.add_option(
        "--eal", options.eal,
        "arguments for DPDK's EAL instead of the embedded default, which needs no root and no hugepages");
    command.add_option("--json", options.json, "write the result file here; - is standard output");
}

Expected<BulkOptions> resolve(const BulkArguments& arguments, const std::vector<unsigned>& cpus) {
    constexpr std::uint64_t kMostMtu = 9000, kLeastMtu = 576;
    constexpr std::uint64_t kMostWindow = 64u << 20;
    BulkOptions options = arguments.options;
    if (arguments.mtu < kLeastMtu || arguments.mtu > kMostMtu)
        return fail("--mtu must be between 576 and 9000");
    options.mtu = static_cast<std::uint16_t>(arguments.mtu);
    if (options.window < 2 * arguments.mtu || options.window > kMostWindow)
        return fail("--window must be between two MTUs and 64MiB");
    if (options.duration < 10ms)
        return fail("--duration must be at least 10ms, or there is nothing to measure");
    if (arguments.cores.size() > 2) return fail("--cores takes the sender's CPU and the receiver's");
    if (auto checked = check_cores(arguments.cores, cpus); !checked) return tl::unexpected(checked.error());
    const std::vector<unsigned>& cores = arguments.cores.empty() ? cpus : arguments.cores;
    options.sender_core = cores[0];
    options.receiver_core = cores.size() > 1 ? cores[1] : cores[0];
    return options;
}

}  // namespace millrace::bench
