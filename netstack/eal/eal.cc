#include "netstack/eal/eal.h"

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <sstream>
#include <string_view>
#include <thread>

#include "netstack/base/time.h"
#include "netstack/eal/captured_output.h"

namespace millrace::net {
namespace {

std::vector<std::string> split(const std::string& text) {
    std::istringstream in(text);
    std::vector<std::string> words;
    for (std::string word; in >> word;)
        words.push_back(word);
    return words;
}

bool chooses_lcores(const std::vector<std::string>& args) {
    return std::any_of(args.begin(), args.end(), [](std::string_view arg) {
        return arg.starts_with("--lcores") || arg.starts_with("-l") || arg.starts_with("-c") ||
               arg.starts_with("-s") || arg.starts_with("-S");
    });
}

// EAL prints its help and exits.
bool asks_for_help(const std::vector<std::string>& args) {
    return std::any_of(args.begin(), args.end(),
                       [](std::string_view arg) { return arg == "-h" || arg == "--help"; });
}

// Lcore 0 is the main one and floats; lcore 1 + i is the worker of shard i. "0@(0,1),1@0,2@1"
std::string lcores(const std::vector<unsigned>& cpus) {
    std::string text = "--lcores=0@(";
    for (const unsigned cpu : allowed_cpus())
        text += std::to_string(cpu) + ',';
    text.back() = ')';
    for (std::size_t i = 0; i < cpus.size(); ++i)
        text += ',' + std::to_string(i + 1) + '@' + std::to_string(cpus[i]);
    return text;
}

std::vector<std::string> arguments_for(const EalOptions& options) {
    std::vector<std::string> args = split(options.args);
    if (args.empty())
        args = {"--no-huge",
                "--no-shconf",
                "--no-pci",
                "--no-telemetry",
                "--log-level=error",
                "-m",
                std::to_string(options.memory_mib)};
    if (!chooses_lcores(args)) {
        args.push_back(lcores(options.cpus));
        args.push_back("--main-lcore=0");
    }
    args.insert(args.begin(), "millrace");
    return args;
}

std::string join_words(const std::vector<std::string>& words) {
    std::string text;
    for (const auto& word : words)
        text += (text.empty() ? "" : " ") + word;
    return text;
}

}  // namespace

std::vector<unsigned> allowed_cpus() {
    cpu_set_t set;
    CPU_ZERO(&set);
    ::sched_getaffinity(0, sizeof set, &set);
    std::vector<unsigned> cpus;
    for (unsigned cpu = 0; cpu < CPU_SETSIZE; ++cpu)
        if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
    return cpus;
}

Expected<void> check_cpus(const std::vector<unsigned>& cpus) {
    const auto allowed = allowed_cpus();
    for (const unsigned cpu : cpus)
        if (!std::binary_search(allowed.begin(), allowed.end(), cpu)) {
            std::string list;
            for (const unsigned a : allowed)
                list += (list.empty() ? "" : ",") + std::to_string(a);
            return fail("CPU " + std::to_string(cpu) + " is not one that this process may use (" + list +
                        "): choose among these with --cores");
        }
    return {};
}

struct Eal::Workers {
    struct Worker {
        unsigned lcore;
        std::function<void()> body;
    };
    std::vector<Worker> workers;
    std::string arguments;
};

Eal::Eal(std::unique_ptr<Workers> workers) : workers_(std::move(workers)) {}
Eal::Eal(Eal&&) noexcept = default;

Expected<Eal> Eal::start(const EalOptions& options) {
    if (!chooses_lcores(split(options.args))) {
        if (auto good = check_cpus(options.cpus); !good) return tl::unexpected(good.error());
        if (options.cpus.size() + 1 > RTE_MAX_LCORE)
            return fail("more shards than DPDK has lcores (" + std::to_string(RTE_MAX_LCORE - 1) +
                        "): name fewer with --cores");
    }
    std::vector<std::string> args = arguments_for(options);
    auto state = std::make_unique<Workers>();
    state->arguments = join_words({args.begin() + 1, args.end()});

    std::vector<char*> argv;  // EAL permutes the pointers and keeps no hold of them
    for (auto& arg : args)
        argv.push_back(arg.data());
    std::optional<CapturedOutput> output;
    if (!asks_for_help(args)) output.emplace();
    const int status = rte_eal_init(static_cast<int>(argv.size()), argv.data());
    const int error = rte_errno;
    const std::string printed = output ? output->restore() : std::string{};
    if (status < 0) {
        std::string reason = first_complaint(printed);
        if (reason.empty()) reason = rte_strerror(error);
        return fail("DPDK did not start with '" + state->arguments + "' (" + reason + "): " +
                    (options.args.empty() ? "see whether the machine has the memory and CPUs asked for"
                                          : "correct the arguments given with --eal, or leave them out"));
    }
    unsigned lcore = 0;
    RTE_LCORE_FOREACH_WORKER(lcore) state->workers.push_back({lcore, {}});
    if (state->workers.size() < options.cpus.size()) {
        const auto have = std::to_string(state->workers.size());
        rte_eal_cleanup();
        return fail("--eal gives " + have + " worker lcores for " + std::to_string(options.cpus.size()) +
                    " shards: name one lcore more than there are shards, or leave the choice of lcores out");
    }
    return Eal(std::move(state));
}

Eal::~Eal() {
    if (!workers_) return;
    rte_eal_mp_wait_lcore();
    rte_eal_cleanup();
}

unsigned Eal::workers() const {
    return static_cast<unsigned>(workers_->workers.size());
}
const std::string& Eal::arguments() const {
    return workers_->arguments;
}

void Eal::launch(unsigned worker, std::function<void()> body) {
    auto& w = workers_->workers.at(worker);
    w.body = std::move(body);
    rte_eal_remote_launch(
        [](void* arg) {
            (*static_cast<std::function<void()>*>(arg))();
            return 0;
        },
        &w.body, w.lcore);
}

// rte_eal_wait_lcore() alone would spin, on a CPU that the shards' other ends may need.
void Eal::join(unsigned worker) {
    const unsigned lcore = workers_->workers.at(worker).lcore;
    while (rte_eal_get_lcore_state(lcore) == RUNNING)
        std::this_thread::sleep_for(1ms);
    rte_eal_wait_lcore(lcore);
}

}  // namespace millrace::net
