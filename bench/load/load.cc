#include "bench/load/load.h"

#include <fmt/format.h>

#include <algorithm>
#include <thread>
#include <vector>

#include "bench/control/interrupt.h"
#include "bench/load/crew.h"
#include "bench/load/limits.h"
#include "bench/load/part.h"
#include "bench/load/processes.h"
#include "bench/result/live_line.h"
#include "bench/result/table.h"
#include "bench/timing/judge.h"
#include "engine/options/units.h"
#include "netstack/base/clock.h"

namespace millrace::bench {

namespace {

class Load {
  public:
    Load(const LoadOptions& part, Result& result) : options_(part), result_(result) {}

    Expected<void> set_up(std::vector<Companion> companions);
    void run();

  private:
    // Each is false when the run is not to go on: the user ended it.
    bool order(LoadOrder order, std::string_view during);
    bool talk();
    void find_rate();
    void note_lost(std::string_view during);
    void show_progress(std::string_view during);

    ConnectResult connect_result() const;
    LoadResult load_result() const;
    std::vector<std::string> faults_of(const LoadResult& load) const;
    std::string fault_of(const LoadResult& load) const;
    void judge();

    LoadOptions options_;
    Result& result_;
    std::unique_ptr<LoadCrew> crew_;
    double rate_ = 0;  // of the run that is on
    LiveLine live_;
    LoadCounts shown_;
    std::uint64_t listen_drops_ = 0;
    std::uint64_t retransmits_ = 0;  // the kernel's, when the run began
    const ClockDrift drift_;
};

std::string_view name_of(LoadMode mode) {
    switch (mode) {
        case LoadMode::kClosedLoop:
            return "closed loop";
        case LoadMode::kOpenLoop:
            return "open loop";
        case LoadMode::kListen:
            return "listening";
        case LoadMode::kChurn:
            return "churn";
    }
    return "";
}

// --- set-up ---

Expected<void> Load::set_up(std::vector<Companion> companions) {
    auto crew = LoadCrew::set_up(options_, std::move(companions));
    if (!crew) return tl::unexpected(crew.error());
    crew_ = std::move(*crew);
    rate_ = options_.rate;
    result_.environment.carrier = crew_->here().carrier();
    result_.environment.eal = crew_->here().eal_arguments();
    result_.environment.client_cores = crew_->cores();
    if (crew_->processes() > 1) result_.processes = ProcessesResult{.count = crew_->processes()};
    listen_drops_ = listen_drops();
    return {};
}

// --- orders ---

bool Load::order(LoadOrder order, std::string_view during) {
    bool stopped = false;
    crew_->give(order, rate_);
    auto next_line = std::chrono::steady_clock::now() + 1s;
    while (!crew_->is_done()) {
        if (interrupted() && !stopped && order != LoadOrder::kClose) {
            stopped = true;
            result_.invalid_because.push_back(fmt::format("interrupted while {}", during));
            crew_->give(LoadOrder::kStop, rate_);
        }
        std::this_thread::sleep_for(5ms);
        if (!live_.on() || std::chrono::steady_clock::now() < next_line) continue;
        show_progress(during);
        next_line += 1s;
    }
    note_lost(during);
    return !stopped;
}

// The others go on: what a process did that was lost is not in the result.
void Load::note_lost(std::string_view during) {
    for (const std::string& who : crew_->newly_lost()) {
        result_.invalid_because.push_back(fmt::format("a process was lost while {}: {}", during, who));
        result_.processes->lost.push_back(who);
    }
}

void Load::show_progress(std::string_view during) {
    const LoadCounts now = crew_->counts();
    const std::uint64_t drops = listen_drops() - listen_drops_;
    live_.show(fmt::format(
        "  {:<9} {} connections (+{}/s, {} failed)  {} messages (+{}/s){}", during, with_commas(now.opened),
        with_commas(now.opened - std::min(now.opened, shown_.opened)), with_commas(now.failed),
        with_commas(now.messages), with_commas(now.messages - std::min(now.messages, shown_.messages)),
        drops == 0 ? "" : fmt::format("  {} found a listener's queue full", with_commas(drops))));
    shown_ = now;
}

void Load::run() {
    const bool churn = options_.mode == LoadMode::kChurn;
    bool going_on = churn || order(LoadOrder::kOpen, "opening");
    if (!churn) result_.connect = connect_result();
    if (going_on && (churn || result_.connect->connections != 0)) {
        if (options_.find_rate)
            find_rate();
        else
            talk();
    }
    order(LoadOrder::kClose, "closing");
    live_.clear();
    judge();
}

bool Load::talk() {
    const auto measured_at = std::chrono::system_clock::now() + options_.warm_up;
    retransmits_ = kernel_retransmits();
    const bool whole = order(LoadOrder::kTalk, "talking");
    result_.load = load_result();
    result_.load->measured_at = std::chrono::duration<double>(measured_at.time_since_epoch()).count();
    return whole;
}

// Doubles the rate until it is too much, then halves the gap between the best and the least that was too much
// until it is a twentieth.
void Load::find_rate() {
    constexpr double kNear = 1.05;
    std::optional<LoadResult> best, first;
    std::vector<LoadResult::Try> tries;
    double kept = 0, too_much = 0;
    while (talk()) {
        const LoadResult& run = *result_.load;
        std::string fault = fault_of(run);
        tries.push_back({rate_, run.rtt_ns.p50, run.rtt_ns.p99, fault});
        if (!first) first = run;
        if (fault.empty()) {
            kept = rate_;
            best = run;
        } else {
            too_much = rate_;
        }
        const bool gone = run.closed != 0;  // there is nobody to go on with
        if (gone || kept == 0 || (too_much != 0 && too_much / kept < kNear)) break;
        rate_ = too_much == 0 ? 2 * kept : (kept + too_much) / 2;
    }
    if (best || first) result_.load = best ? std::move(best) : std::move(first);
    result_.load->tries = std::move(tries);
}

// --- results ---

ConnectResult Load::connect_result() const {
    const LoadTally tally = crew_->tally();
    ConnectResult result{.connections = tally.opened, .failed = tally.failed};
    for (const auto& [why, count] : tally.failed_because.counts())
        result.failed_because[why] = count;
    result.seconds = std::chrono::duration<double>(tally.connecting).count();
    if (result.seconds > 0) result.rate_per_s = static_cast<double>(result.connections) / result.seconds;
    return result;
}

LoadResult Load::load_result() const {
    RunBooks run = crew_->tally().run;
    LoadResult result{.mode = std::string(name_of(options_.mode)), .requested_per_s = rate_};
    if (options_.mode == LoadMode::kClosedLoop) result.in_flight = options_.in_flight;
    result.seconds = std::chrono::duration<double>(run.measured).count();
    result.connections = run.began_with;
    result.messages = run.messages;
    result.sent = run.sent;
    result.unsent = run.unsent;
    result.lost = run.lost;
    result.corrupted = run.corrupted;
    result.closed = run.closed.total();
    for (const auto& [why, count] : run.closed.counts())
        result.closed_because[why] = count;
    for (const auto& [why, count] : run.failed.counts())
        result.failed_because[why] = count;
    if (result.seconds > 0) {
        result.messages_per_s = static_cast<double>(run.messages) / result.seconds;
        result.bytes_per_s = static_cast<double>(run.bytes) / result.seconds;
    }
    if (result_.processes)
        result_.processes->began_within_ns =
            static_cast<std::uint64_t>((run.began_late + crew_->clock_error()).count());
    result.rtt_ns = quantiles(run.latencies.rtt());
    result.service_ns = quantiles(run.latencies.service);
    result.send_lag_ns = quantiles(run.latencies.send_lag);
    result.latencies = std::move(run.latencies);
    result.polls = std::move(run.polls);
    result.retransmits =
        options_.net == Net::kUring ? kernel_retransmits() - retransmits_ : run.counters["tcp.RetransSegs"];
    for (const Threshold& threshold : options_.thresholds)
        if (std::string missed = threshold.missed(result); !missed.empty())
            result.missed.push_back(std::move(missed));
    return result;
}

// What makes a run invalid, in words.
std::vector<std::string> Load::faults_of(const LoadResult& load) const {
    std::vector<std::string> faults;
    const auto check = [&faults](std::uint64_t count, std::string_view what) {
        if (count != 0) faults.push_back(fmt::format("{} {}", with_commas(count), what));
    };
    check(load.lost, "messages were sent and not answered");
    check(load.corrupted, "messages came back changed, or unasked");
    check(load.closed, "connections were closed before their time");
    if (options_.mode != LoadMode::kChurn && load.closed >= load.connections)
        faults.push_back("all connections were lost, and the run ended with them");
    check(load.unsent, "messages found no room and were not sent");
    for (const auto& [why, count] : load.failed_because)
        check(count, "connections failed to open during the run (" + why + ")");
    if (load.messages == 0) faults.push_back("no message came in the time that was measured");
    if (load.requested_per_s == 0 || !options_.echo) return faults;
    judge_rate(load.messages_per_s, load.requested_per_s, load.seconds, options_.arrivals, faults);
    judge_lag(load.send_lag_ns, load.rtt_ns, faults);
    return faults;
}

// Why a run of the search was too much; empty when it was not.
std::string Load::fault_of(const LoadResult& load) const {
    const auto faults = faults_of(load);
    if (!faults.empty()) return faults.front();
    for (const Threshold& wanted : options_.slo)
        if (std::string missed = wanted.missed(load); !missed.empty()) return missed;
    return {};
}

void Load::judge() {
    if (result_.connect && result_.connect->failed != 0)
        result_.invalid_because.push_back(
            fmt::format("{} connections failed to open", with_commas(result_.connect->failed)));
    result_.clock = clock_result(drift_);
    if (result_.load) {
        result_.counters["client"] = crew_->tally().run.counters;
        const auto faults = faults_of(*result_.load);
        result_.invalid_because.insert(result_.invalid_because.end(), faults.begin(), faults.end());
        if (!result_.load->tries.empty() && !fault_of(*result_.load).empty())
            result_.invalid_because.push_back(
                "already the first rate was too much: begin with a lower --rate");
    }
    if (const std::uint64_t drops = listen_drops() - listen_drops_; drops != 0)
        result_.remarks.push_back(fmt::format(
            "{} connections found a listener's queue on this machine full (ListenDrops): raise the server's "
            "backlog and net.core.somaxconn, or give --connect-rate",
            with_commas(drops)));
}

}  // namespace

Expected<Result> run_load(const LoadOptions& options, int argc, const char* const* argv) {
    auto companions = start_processes(options);
    if (!companions) return tl::unexpected(companions.error());
    return lead_load(part_of(options, {0, options.processes}), std::move(*companions), argc, argv);
}

Expected<Result> lead_load(const LoadOptions& part, std::vector<Companion> companions, int argc,
                           const char* const* argv) {
    Result result{.program = "millrace-bench load", .environment = describe_machine(argc, argv)};
    result.environment.seed = part.content.seed;
    catch_interrupts();
    Load load(part, result);
    if (auto ready = load.set_up(std::move(companions)); !ready) return tl::unexpected(ready.error());
    load.run();
    return result;
}

}  // namespace millrace::bench
