#include "bench/load/load.h"

#include <fmt/format.h>

#include <algorithm>
#include <thread>
#include <vector>

#include "bench/control/interrupt.h"
#include "bench/load/desk.h"
#include "bench/load/ground.h"
#include "bench/load/limits.h"
#include "bench/result/live_line.h"
#include "bench/result/table.h"
#include "engine/client/dialer.h"
#include "engine/client/resolver.h"
#include "engine/options/units.h"

namespace millrace::bench {

namespace {

class Load {
  public:
    Load(const LoadOptions& options, Result& result)
        : options_(options),
          result_(result),
          plan_{.options = options,
                .address = {},
                .target = {},
                .shards = static_cast<unsigned>(options.cores.size()),
                .rate = options.rate},
          desks_(options.cores.size()) {}

    Expected<void> set_up();
    void run();

  private:
    Expected<void> aim();
    // Each is false when the user ended the run meanwhile.
    bool order(LoadOrder order, std::string_view during);
    bool talk();
    bool find_rate();
    void show_progress(std::string_view during);

    ConnectResult connect_result() const;
    LoadResult load_result() const;
    std::vector<std::string> faults_of(const LoadResult& load) const;
    std::string fault_of(const LoadResult& load) const;
    void judge();

    const LoadOptions& options_;
    Result& result_;
    LoadPlan plan_;
    std::vector<LoadDesk> desks_;
    std::unique_ptr<LoadGround> ground_;
    LiveLine live_;
    std::uint64_t shown_opened_ = 0, shown_messages_ = 0;
    std::uint64_t listen_drops_ = 0;
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

// Where to connect to, and what to ask for there.
Expected<void> Load::aim() {
    auto dialer = client::Dialer::create(options_.url, options_.dial);
    if (!dialer) return tl::unexpected(dialer.error());
    if (dialer->start() == client::Dialer::Step::kResolve) {
        auto addresses = client::resolve(dialer->host(), dialer->port());
        if (!addresses) return tl::unexpected(addresses.error());
        dialer->resolved(std::move(*addresses));
    }
    plan_.address = dialer->address();
    plan_.target = dialer->target();
    return {};
}

Expected<void> Load::set_up() {
    if (auto aimed = aim(); !aimed) return aimed;
    if (auto allowed = check_limits(options_, plan_.address); !allowed) return allowed;
    auto ground = lay_load_ground(plan_, desks_);
    if (!ground) return tl::unexpected(ground.error());
    ground_ = std::move(*ground);
    for (LoadDesk& desk : desks_)
        if (auto ready = desk.ready.get_future().get(); !ready) return ready;
    result_.environment.carrier = ground_->carrier();
    result_.environment.eal = ground_->eal_arguments();
    listen_drops_ = listen_drops();
    return {};
}

// --- orders ---

bool Load::order(LoadOrder order, std::string_view during) {
    for (LoadDesk& desk : desks_)
        desk.mailbox.give(order);
    auto next_line = std::chrono::steady_clock::now() + 1s;
    while (
        !std::all_of(desks_.begin(), desks_.end(), [](LoadDesk& desk) { return desk.mailbox.is_done(); })) {
        if (interrupted() && order != LoadOrder::kClose) {
            result_.invalid_because.push_back(fmt::format("interrupted while {}", during));
            return false;
        }
        std::this_thread::sleep_for(5ms);
        if (!live_.on() || std::chrono::steady_clock::now() < next_line) continue;
        show_progress(during);
        next_line += 1s;
    }
    return true;
}

void Load::show_progress(std::string_view during) {
    std::uint64_t opened = 0, failed = 0, messages = 0;
    for (const LoadDesk& desk : desks_) {
        opened += desk.progress.opened.value();
        failed += desk.progress.failed.value();
        messages += desk.progress.messages.value();
    }
    live_.show(fmt::format("  {:<9} {} connections (+{}/s, {} failed)  {} messages (+{}/s)", during,
                           with_commas(opened), with_commas(opened - shown_opened_), with_commas(failed),
                           with_commas(messages), with_commas(messages - shown_messages_)));
    shown_opened_ = opened;
    shown_messages_ = messages;
}

void Load::run() {
    const bool churn = options_.mode == LoadMode::kChurn;
    bool going_on = churn || order(LoadOrder::kOpen, "opening");
    if (!churn) result_.connect = connect_result();
    if (going_on && (churn || result_.connect->connections != 0))
        going_on = options_.find_rate ? find_rate() : talk();
    if (going_on) order(LoadOrder::kClose, "closing");
    live_.clear();
    judge();
}

bool Load::talk() {
    const auto measured_at = std::chrono::system_clock::now() + options_.warm_up;
    if (!order(LoadOrder::kTalk, "talking")) return false;
    result_.load = load_result();
    result_.load->measured_at = std::chrono::duration<double>(measured_at.time_since_epoch()).count();
    return true;
}

// Doubles the rate until it is too much, then halves the gap between the best and the least that was too much
// until it is a twentieth.
bool Load::find_rate() {
    constexpr double kNear = 1.05;
    std::optional<LoadResult> best, first;
    std::vector<LoadResult::Try> tries;
    double kept = 0, too_much = 0;
    for (;;) {
        if (!talk()) return false;
        const LoadResult& run = *result_.load;
        std::string fault = fault_of(run);
        tries.push_back({plan_.rate, run.rtt_ns.p50, run.rtt_ns.p99, fault});
        if (!first) first = run;
        if (fault.empty()) {
            kept = plan_.rate;
            best = run;
        } else {
            too_much = plan_.rate;
        }
        const bool gone = run.closed != 0;  // there is nobody to go on with
        if (gone || kept == 0 || (too_much != 0 && too_much / kept < kNear)) break;
        plan_.rate = too_much == 0 ? 2 * kept : (kept + too_much) / 2;
    }
    result_.load = best ? std::move(best) : std::move(first);
    result_.load->tries = std::move(tries);
    return true;
}

// --- results ---

ConnectResult Load::connect_result() const {
    ConnectResult result;
    Time began = kNever, ended{};
    for (const LoadDesk& desk : desks_) {
        result.connections += desk.progress.opened.value();
        result.failed += desk.progress.failed.value();
        desk.books.failed.add_to(result.failed_because);
        began = std::min(began, desk.books.connect_began);
        ended = std::max(ended, desk.books.connect_ended);
    }
    result.seconds = std::chrono::duration<double>(ended - began).count();
    if (result.seconds > 0) result.rate_per_s = static_cast<double>(result.connections) / result.seconds;
    return result;
}

LoadResult Load::load_result() const {
    LoadResult result{.mode = std::string(name_of(options_.mode)), .requested_per_s = plan_.rate};
    if (options_.mode == LoadMode::kClosedLoop) result.in_flight = options_.in_flight;
    result.seconds = std::chrono::duration<double>(options_.duration).count();
    Histogram rtt, send_lag;
    std::uint64_t bytes = 0;
    for (const LoadDesk& desk : desks_) {
        const RunBooks& books = desk.books.run;
        result.connections += books.began_with;
        result.messages += books.messages;
        bytes += books.bytes;
        result.sent += books.sent;
        result.unsent += books.unsent;
        result.lost += books.lost;
        result.corrupted += books.corrupted;
        result.closed += books.closed.total();
        books.closed.add_to(result.closed_because);
        books.failed.add_to(result.failed_because);
        rtt.merge(books.rtt);
        send_lag.merge(books.send_lag);
    }
    result.messages_per_s = static_cast<double>(result.messages) / result.seconds;
    result.bytes_per_s = static_cast<double>(bytes) / result.seconds;
    result.rtt_ns = quantiles(rtt);
    result.send_lag_ns = quantiles(send_lag);
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
    // Half a percent is more than rounding and the run's two ends make.
    if (load.messages_per_s < 0.995 * load.requested_per_s)
        faults.push_back(fmt::format("the rate was not reached: {:.0f} messages a second came back of {:.0f}",
                                     load.messages_per_s, load.requested_per_s));
    // Latencies that the generator's own lateness is a good part of are not the server's.
    if (load.send_lag_ns.p99 * 10 > load.rtt_ns.p99)
        faults.push_back(fmt::format(
            "the generator lagged: its send lag's p99 is {}, more than a tenth of the round trip's {}",
            format_duration(Duration(load.send_lag_ns.p99)), format_duration(Duration(load.rtt_ns.p99))));
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
    if (result_.load) {
        const auto faults = faults_of(*result_.load);
        result_.invalid_because.insert(result_.invalid_because.end(), faults.begin(), faults.end());
        if (options_.find_rate && !fault_of(*result_.load).empty())
            result_.invalid_because.push_back(
                "already the first rate was too much: begin with a lower --rate");
    }
    if (const std::uint64_t drops = listen_drops() - listen_drops_; drops != 0)
        result_.remarks.push_back(fmt::format(
            "{} connections found a listener's queue on this machine full: raise the server's backlog and "
            "net.core.somaxconn, or give --connect-rate",
            with_commas(drops)));
}

}  // namespace

Expected<Result> run_load(const LoadOptions& options, int argc, const char* const* argv) {
    Result result{.program = "millrace-bench load", .environment = describe_machine(argc, argv)};
    result.environment.seed = options.content.seed;
    result.environment.client_cores = options.cores;
    catch_interrupts();
    Load load(options, result);
    if (auto ready = load.set_up(); !ready) return tl::unexpected(ready.error());
    load.run();
    return result;
}

}  // namespace millrace::bench
