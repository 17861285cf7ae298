// The deterministic network simulator:
//
//     sim [--seeds N] [--from S] [--edition E] [--regressions FILE] [--twice] [--pcap FILE] [--verbose]
//
// Runs the seeds of the regressions file, if one is given, then N seeds from S on. A seed that fails is
// printed with its reason and with the command that replays it. With --twice each is run again, and must do
// the same to the last bit. The last line says "N passed, N failed".

#include <rte_eal.h>

#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>

#include "tests/sim/failure.h"
#include "tests/sim/simulation.h"

namespace {

using namespace millrace;
using namespace millrace::sim;

struct Options {
    std::uint64_t seeds = 0, from = 1, edition = kEdition;
    const char* regressions = nullptr;
    const char* pcap = nullptr;
    bool verbose = false;
    bool twice = false;
};

std::optional<Options> parse(int argc, char** argv) {
    Options options;
    for (int i = 1; i < argc; ++i) {
        const std::string_view name = argv[i];
        if (name == "--verbose" || name == "--twice") {
            (name == "--verbose" ? options.verbose : options.twice) = true;
            continue;
        }
        if (++i == argc) return std::nullopt;
        const char* value = argv[i];
        const auto number = [&](std::uint64_t& to) {
            const char* end = value + std::strlen(value);
            return std::from_chars(value, end, to).ptr == end && end != value;
        };
        if (name == "--seeds") {
            if (!number(options.seeds)) return std::nullopt;
        } else if (name == "--from") {
            if (!number(options.from)) return std::nullopt;
        } else if (name == "--edition") {
            if (!number(options.edition)) return std::nullopt;
        } else if (name == "--regressions") {
            options.regressions = value;
        } else if (name == "--pcap") {
            options.pcap = value;
        } else {
            return std::nullopt;
        }
    }
    if (options.seeds == 0 && options.regressions == nullptr) options.seeds = 1000;
    return options;
}

class Runner {
  public:
    explicit Runner(const Options& options) : options_(options) {
        if (options.pcap != nullptr) pcap_.emplace(options.pcap);
    }

    void run(std::uint64_t seed, std::uint64_t edition) {
        const Scenario scenario(seed, static_cast<unsigned>(edition));
        std::uint64_t hash = 0, again = 0;
        std::string wrong = simulate(scenario, hash);
        if (wrong.empty() && options_.twice) {
            wrong = simulate(scenario, again);
            if (wrong.empty() && hash != again) wrong = "a second run did something else";
        }
        hash_ = (hash_ ^ hash) * 0x9e3779b97f4a7c15;
        if (wrong.empty()) {
            ++passed_;
            return;
        }
        ++failed_;
        pools_.clear();
        std::printf(
            "seed %llu failed: %s\n    replay it with: sim --seeds 1 --from %llu --edition %u --verbose "
            "--pcap "
            "%llu.pcap\n",
            static_cast<unsigned long long>(seed), wrong.c_str(), static_cast<unsigned long long>(seed),
            scenario.edition, static_cast<unsigned long long>(seed));
        std::fflush(stdout);
    }

    void summarize() const {
        const auto& o = tally_.outcomes;
        const auto of = [&](Outcome outcome) {
            return static_cast<unsigned long long>(o[static_cast<unsigned>(outcome)]);
        };
        const auto by = [&](net::CloseReason reason) {
            return static_cast<unsigned long long>(tally_.reasons[static_cast<unsigned>(reason)]);
        };
        std::printf(
            "%llu frames, %llu segments judged by the onlooker, %llu bytes received; ends: %llu finished, "
            "%llu reset, %llu timed out, %llu "
            "unreachable, "
            "%llu aborted, %llu rebooted, %llu gave up a dead peer, %llu found no slot, %llu never "
            "accepted\n",
            static_cast<unsigned long long>(tally_.frames), static_cast<unsigned long long>(tally_.watched),
            static_cast<unsigned long long>(tally_.bytes), of(Outcome::kFinished),
            by(net::CloseReason::kReset), by(net::CloseReason::kTimedOut), by(net::CloseReason::kUnreachable),
            of(Outcome::kAborted), of(Outcome::kRebooted), of(Outcome::kIdle), of(Outcome::kNoSlot),
            of(Outcome::kNone));
        std::printf("trace %016llx\n", static_cast<unsigned long long>(hash_));
        std::printf("%llu passed, %llu failed\n", static_cast<unsigned long long>(passed_),
                    static_cast<unsigned long long>(failed_));
    }
    bool good() const { return failed_ == 0 && passed_ > 0; }

  private:
    // What went wrong, or nothing. `hash` is of all that happened.
    std::string simulate(const Scenario& scenario, std::uint64_t& hash) {
        if (options_.verbose) std::printf("%s", scenario.describe().c_str());
        Trace trace(pcap_ ? &*pcap_ : nullptr, options_.verbose);
        try {
            Simulation simulation(scenario, pools_, trace);
            simulation.run();
            simulation.add_to(tally_);
        } catch (const Failure& failure) {
            return failure.what;
        }
        hash = trace.hash();
        return {};
    }

    const Options& options_;
    PoolCache pools_;
    std::optional<Pcap> pcap_;
    Tally tally_;
    std::uint64_t hash_ = 0;
    std::uint64_t passed_ = 0, failed_ = 0;
};

int run(const Options& options) {
    Runner runner(options);
    if (options.regressions != nullptr) {
        std::ifstream file(options.regressions);
        if (!file) throw std::runtime_error(std::string("cannot read ") + options.regressions);
        // A line has a seed, its edition, and what it once found; lines that begin otherwise are remarks.
        for (std::string line; std::getline(file, line);) {
            std::uint64_t seed = 0, edition = 0;
            if (std::istringstream(line) >> seed >> edition) runner.run(seed, edition);
        }
    }
    for (std::uint64_t i = 0; i < options.seeds; ++i)
        runner.run(options.from + i, options.edition);
    runner.summarize();
    return runner.good() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    const auto options = parse(argc, argv);
    if (!options) {
        std::fprintf(
            stderr,
            "usage: sim [--seeds N] [--from S] [--edition E] [--regressions FILE] [--twice] [--pcap FILE] "
            "[--verbose]\n");
        return 2;
    }
    const char* eal[] = {"sim",  "--no-huge", "--no-shconf", "--no-pci",          "-m",
                         "1024", "--lcores",  "0@0",         "--log-level=error", "--no-telemetry"};
    if (rte_eal_init(static_cast<int>(std::size(eal)), const_cast<char**>(eal)) < 0) {
        std::fprintf(stderr, "sim: EAL did not start\n");
        return 2;
    }
    int status = 2;
    try {
        status = run(*options);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "sim: %s\n", error.what());
    }
    rte_eal_cleanup();
    return status;
}
