#include "bench/lab/lab.h"

#include <fmt/format.h>
#include <rte_eal.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <numeric>
#include <set>
#include <thread>

#include "bench/control/interrupt.h"
#include "bench/lab/ends.h"
#include "bench/lab/memory.h"
#include "bench/lab/verdict.h"
#include "bench/lab/worker.h"
#include "bench/result/live_line.h"
#include "bench/result/table.h"
#include "netstack/base/memory.h"
#include "netstack/eal/eal.h"

namespace millrace::bench {

namespace {

// Pages of this process that are in memory, in bytes.
std::uint64_t process_memory() {
    std::ifstream statm("/proc/self/statm");
    std::uint64_t size = 0, resident = 0;
    statm >> size >> resident;
    return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

// As of the last report.
template <class Shards>
std::uint64_t counter(const Shards& shards, const std::string& name) {
    std::uint64_t sum = 0;
    for (const auto& shard : shards)
        if (const auto found = shard->report().counters.find(name); found != shard->report().counters.end())
            sum += found->second;
    return sum;
}

class Lab {
  public:
    Lab(const LabOptions& options, Result& result)
        : options_(options), result_(result), pattern_(options.seed), board_(options, pattern_) {}
    ~Lab();

    Expected<void> set_up();
    void run();

  private:
    Expected<void> make_shards();
    void make_workers();

    // Each is false when the user ended the run meanwhile.
    bool connect();
    bool hold();
    bool echo();
    bool scatter();
    bool latency();
    bool churn();
    bool fanout();
    bool fanout_turns(FanoutResult& result);
    bool fanout_turn(const FanoutPlan& plan, FanoutTurn& turn);
    bool close();

    bool order_all(Order order, std::string_view during);
    bool order_clients(Order order, std::string_view during);
    bool order_first(Order order, std::string_view during);
    bool wait(std::string_view during);
    // Every shard puts down its memory and counters, when acknowledgements have settled.
    bool report(std::string_view during);

    void show_progress(std::string_view during);
    void finish();
    ServerTotals server_totals() const;
    StallResults stalls() const;
    void note_shares();
    std::uint64_t server_counter(const std::string& name) const;
    std::uint64_t server_memory() const;

    const LabOptions& options_;
    Result& result_;
    const Pattern pattern_;
    FanoutBoard board_;
    // In the order in which they are made, and unmade from the end.
    std::optional<net::Eal> eal_;
    std::optional<BareRing> ring_;
    std::optional<Ends> ends_;
    std::vector<std::unique_ptr<ServerShard>> servers_;
    std::vector<std::unique_ptr<ClientShard>> clients_;
    std::vector<Worker> workers_;
    std::atomic<bool> stop_{false};
    LiveLine live_;
    std::optional<ClockDrift> drift_;  // from the beginning of the run on
    std::uint64_t shown_opened_ = 0;
    std::uint64_t shown_verified_ = 0;
};

// --- set-up ---

Expected<void> Lab::set_up() {
    if (auto fits = check_memory(options_, available_memory()); !fits) return fits;
    std::set<unsigned> cpus(options_.server_cores.begin(), options_.server_cores.end());
    cpus.insert(options_.client_cores.begin(), options_.client_cores.end());
    auto eal = net::Eal::start(
        {.cpus = {cpus.begin(), cpus.end()}, .args = options_.eal, .memory_mib = Ends::memory_mib(options_)});
    if (!eal) return tl::unexpected(eal.error());
    eal_.emplace(std::move(*eal));
    result_.environment.carrier = "dpdk (cable)";
    result_.environment.eal = eal_->arguments();
    result_.environment.hugepages = rte_eal_has_hugepages() ? "used" : "none";

    auto ring = BareRing::create();
    if (!ring) return tl::unexpected(ring.error());
    ring_.emplace(std::move(*ring));
    auto ends = Ends::create(options_);
    if (!ends) return tl::unexpected(ends.error());
    ends_.emplace(std::move(*ends));

    if (auto made = make_shards(); !made) return made;
    for (const unsigned cpu : cpus)
        workers_.push_back({.cpu = cpu});
    make_workers();
    return {};
}

Expected<void> Lab::make_shards() {
    const EndpointConfig config = Ends::endpoint_config();
    EndpointConfig server_config = config;
    server_config.ping_interval = options_.ping_interval;
    const auto ground = std::make_shared<fanout::FeedGround>(
        fanout::FeedConfig{}, static_cast<unsigned>(options_.server_cores.size()));
    for (unsigned i = 0; i < options_.server_cores.size(); ++i) {
        auto shard = ServerShard::create(ends_->server(i), server_config, pattern_,
                                         options_.connections / options_.server_cores.size(),
                                         i == 0 ? &*ring_ : nullptr, ground, i == 0 ? &board_ : nullptr);
        if (!shard) return tl::unexpected(shard.error());
        servers_.push_back(std::move(*shard));
    }
    for (unsigned i = 0; i < options_.client_cores.size(); ++i) {
        auto shard = ClientShard::create(ends_->client(i), config,
                                         {.options = options_,
                                          .pattern = pattern_,
                                          .index = i,
                                          .ring = i == 0 ? &*ring_ : nullptr,
                                          .server = Ends::server_address(options_),
                                          .fanout = board_});
        if (!shard) return tl::unexpected(shard.error());
        clients_.push_back(std::move(*shard));
    }
    return {};
}

void Lab::make_workers() {
    for (Worker& worker : workers_) {
        for (unsigned i = 0; i < servers_.size(); ++i)
            if (options_.server_cores[i] == worker.cpu) worker.servers.push_back(servers_[i].get());
        for (unsigned i = 0; i < clients_.size(); ++i)
            if (options_.client_cores[i] == worker.cpu) worker.clients.push_back(clients_[i].get());
    }
    for (unsigned i = 0; i < workers_.size(); ++i)
        eal_->launch(i, [this, i] { workers_[i].run(stop_); });
}

// What the workers use goes only after they have ended.
Lab::~Lab() {
    stop_.store(true, std::memory_order_relaxed);
    for (unsigned i = 0; i < workers_.size(); ++i)
        eal_->join(i);
}

// --- orders ---

bool Lab::order_all(Order order, std::string_view during) {
    for (auto& server : servers_)
        server->mailbox().give(order);
    return order_clients(order, during);
}

bool Lab::order_clients(Order order, std::string_view during) {
    for (auto& client : clients_)
        client->mailbox().give(order);
    return wait(during);
}

bool Lab::order_first(Order order, std::string_view during) {
    clients_[0]->mailbox().give(order);
    return wait(during);
}

bool Lab::wait(std::string_view during) {
    auto next_line = std::chrono::steady_clock::now() + 1s;
    const auto is_done = [](auto& shard) { return shard->mailbox().is_done(); };
    while (!std::all_of(clients_.begin(), clients_.end(), is_done) ||
           !std::all_of(servers_.begin(), servers_.end(), is_done)) {
        if (interrupted()) {
            result_.invalid_because.push_back(fmt::format("interrupted during the {} stage", during));
            return false;
        }
        std::this_thread::sleep_for(5ms);
        if (!live_.on() || std::chrono::steady_clock::now() < next_line) continue;
        show_progress(during);
        next_line += 1s;
    }
    return true;
}

bool Lab::report(std::string_view during) {
    std::this_thread::sleep_for(200ms);  // several times the delayed ACK
    return order_all(Order::kReport, during);
}

void Lab::show_progress(std::string_view during) {
    std::uint64_t opened = 0, verified = 0;
    for (const auto& client : clients_) {
        opened += client->progress().opened.value();
        verified += client->progress().verified.value();
    }
    live_.show(fmt::format("  {:<9} {} connections (+{}/s)  {} messages verified (+{}/s)", during,
                           with_commas(opened), with_commas(opened - shown_opened_), with_commas(verified),
                           with_commas(verified - shown_verified_)));
    shown_opened_ = opened;
    shown_verified_ = verified;
}

// --- stages ---

bool Lab::connect() {
    const auto memory = [](const auto& shards) {
        std::uint64_t bytes = 0;
        for (const auto& shard : shards)
            bytes += shard->report().memory_in_use;
        return bytes;
    };
    if (!report("connect")) return false;
    const std::uint64_t server_before = memory(servers_);
    const std::uint64_t client_before = memory(clients_);
    const std::uint64_t process_before = process_memory();
    const auto populating = std::chrono::steady_clock::now();
    if (!order_all(Order::kPopulate, "connect")) return false;
    const std::chrono::duration<double> populated = std::chrono::steady_clock::now() - populating;
    if (!order_clients(Order::kConnect, "connect") || !report("connect")) return false;
    note_shares();
    ConnectResult result = connect_result(clients_);
    result.populate_seconds = populated.count();
    if (result.connections != 0) {
        const auto per_connection = [&result](std::uint64_t after, std::uint64_t before) {
            return (static_cast<double>(after) - static_cast<double>(before)) /
                   static_cast<double>(result.connections);
        };
        result.server_bytes_per_connection = per_connection(memory(servers_), server_before);
        result.client_bytes_per_connection = per_connection(memory(clients_), client_before);
        result.process_bytes_per_connection = per_connection(process_memory(), process_before);
    }
    result.stalls = stalls();
    // A stage that was not asked for must still have worked, for the others to mean anything.
    if (options_.connect || result.failed != 0) result_.connect = std::move(result);
    return true;
}

bool Lab::hold() {
    const auto pings = [this] { return server_counter("ws_pings_sent"); };
    const auto pongs = [this] { return server_counter("ws_pongs_received"); };
    if (!report("hold")) return false;
    const std::uint64_t pings_before = pings(), pongs_before = pongs(),
                        lost_before = server_counter("ws_lost");
    if (!order_clients(Order::kHold, "hold") || !report("hold")) return false;
    result_.hold = hold_result(clients_);
    result_.hold->held_seconds = std::chrono::duration<double>(options_.hold_for).count();
    result_.hold->ping_interval_s = std::chrono::duration<double>(options_.ping_interval).count();
    result_.hold->pings = pings() - pings_before;
    result_.hold->pongs = pongs() - pongs_before;
    result_.hold->unanswered = server_counter("ws_lost") - lost_before;
    result_.hold->stalls = stalls();
    return true;
}

bool Lab::echo() {
    if (!report("echo")) return false;
    const std::uint64_t before = server_totals().verified_bytes;
    if (!order_clients(Order::kEcho, "echo") || !report("echo")) return false;
    result_.echo = echo_result(options_, clients_);
    result_.echo->server_verified_bytes = server_totals().verified_bytes - before;
    return true;
}

bool Lab::scatter() {
    if (!order_clients(Order::kScatter, "scatter")) return false;
    result_.scatter = scatter_result(clients_);
    return true;
}

bool Lab::churn() {
    if (!report("churn") || !order_clients(Order::kChurn, "churn") || !report("churn")) return false;
    result_.churn = churn_result(clients_);
    result_.churn->stalls = stalls();
    return true;
}

// One more turn of the stage.
bool Lab::fanout_turn(const FanoutPlan& plan, FanoutTurn& turn) {
    const auto segments = [this] {
        std::uint64_t sum = 0;
        for (const auto& client : clients_)
            sum += client->report().counters.at("tcp.InSegs");
        return sum;
    };
    board_.plan = plan;
    board_.over.store(false);
    board_.subscribers.assign(board_.topics, 0);
    for (const auto& client : clients_)
        for (std::uint32_t topic = 0; topic < board_.topics; ++topic)
            board_.subscribers[topic] += client->fanout().subscribers()[topic];
    const std::uint64_t segments_before = segments();
    const std::uint64_t published = std::reduce(board_.published.begin(), board_.published.end());
    if (!order_all(Order::kFanout, "fanout") || !report("fanout")) return false;
    turn.published = std::reduce(board_.published.begin(), board_.published.end()) - published;
    turn.segments = segments() - segments_before;
    Histogram last;
    for (const auto& client : clients_) {
        const FanoutStage& stage = client->fanout();
        turn.deliveries += stage.deliveries();
        turn.deliveries_per_s += stage.deliveries_per_s();
        result_.fanout->gaps += stage.lost();
        last.merge(stage.last_subscriber());
    }
    turn.last_subscriber_ns = quantiles(last);
    return true;
}

bool Lab::fanout_turns(FanoutResult& result) {
    const Duration time = options_.duration;
    const auto burst = static_cast<unsigned>(options_.fanout_burst);
    if (!fanout_turn({.rate = options_.fanout_rate, .duration = time}, result.single)) return false;
    if (options_.fanout_rate > 0 && options_.fanout_stalled == 0) return true;
    const double most =
        static_cast<double>(result.single.published) / std::chrono::duration<double>(time).count();
    if (options_.fanout_rate == 0 &&
        !(fanout_turn({.burst = burst, .duration = time}, result.merged) &&
          fanout_turn({.rate = most * 0.8, .duration = time}, result.at_four_fifths) &&
          fanout_turn({.rate = most * 0.5, .duration = time}, result.at_half)))
        return false;
    if (options_.fanout_stalled == 0) return true;
    result.stalled = options_.fanout_stalled;
    const std::uint64_t before = server_memory();
    const double rate = options_.fanout_rate > 0 ? options_.fanout_rate : most * 0.5;
    if (!order_clients(Order::kFanoutStall, "fanout") ||
        !fanout_turn({.rate = rate, .duration = time}, result.with_stalled))
        return false;
    result.stalled_growth_bytes = static_cast<double>(server_memory()) - static_cast<double>(before);
    return true;
}

bool Lab::fanout() {
    FanoutResult& result = result_.fanout.emplace();
    result.payload_bytes = options_.fanout_payload;
    result.topics = options_.fanout_topics;
    result.topics_each = options_.fanout_each;
    result.burst = options_.fanout_burst;
    if (!report("fanout")) return false;
    const std::uint64_t before = server_memory();
    if (!order_clients(Order::kFanoutOpen, "fanout") || !report("fanout")) return false;
    for (const auto& client : clients_) {
        result.subscribers += client->fanout().subscribed();
        result.failed += client->fanout().failed();
    }
    if (result.subscribers != 0)
        result.server_bytes_per_subscriber =
            (static_cast<double>(server_memory()) - static_cast<double>(before)) /
            static_cast<double>(result.subscribers);
    if (!fanout_turns(result)) return false;
    for (const auto& client : clients_) {
        result.wrong += client->fanout().wrong();
        result.ended += client->fanout().ended();
    }
    for (const auto& server : servers_)
        result.refused += server->publications_refused();
    return true;
}

bool Lab::close() {
    if (!report("close") || !order_clients(Order::kClose, "close") || !report("close")) return false;
    result_.close = close_result(clients_);
    result_.close->stalls = stalls();
    return true;
}

// The floor is measured on both sides of the stack's own turn, so that a machine whose speed drifts cannot
// flatter either.
bool Lab::latency() {
    const auto floor = [this] {
        servers_[0]->mailbox().give(Order::kFloor);
        if (!order_first(Order::kFloor, "latency")) return false;
        servers_[0]->mailbox().give(Order::kServe);
        return wait("latency");
    };
    const auto retransmits = [this] {
        return server_counter("tcp.RetransSegs") + counter(clients_, "tcp.RetransSegs");
    };
    if (!report("latency")) return false;
    const std::uint64_t retransmits_before = retransmits();
    if (!floor()) return false;
    const auto began = std::chrono::system_clock::now() + LatencyStage::kWarmUp;
    if (!order_first(Order::kLatency, "latency") || !floor() || !report("latency")) return false;
    result_.latency = clients_[0]->latency().result(clients_[0]->floor().round_trips());
    result_.latency->measured_at = std::chrono::duration<double>(began.time_since_epoch()).count();
    result_.latency->retransmits = retransmits() - retransmits_before;
    return true;
}

void Lab::run() {
    drift_.emplace();
    bool going_on = connect();
    if (going_on && options_.hold) going_on = hold();
    if (going_on && options_.echo) going_on = echo();
    if (going_on && options_.scatter) going_on = scatter();
    if (going_on && options_.latency) going_on = latency();
    if (going_on && options_.churn) going_on = churn();
    if (going_on && options_.fanout) going_on = fanout();
    if (going_on && options_.close) going_on = close();
    if (going_on && report("last")) finish();
    live_.clear();
}

ServerTotals Lab::server_totals() const {
    ServerTotals totals;
    for (const auto& server : servers_) {
        totals.verified_bytes += server->reported_books().verified_bytes;
        totals.corrupted += server->reported_books().corrupted;
        totals.refused += server->reported_books().refused;
    }
    return totals;
}

// While all are open: what fell to whom. Servers first.
void Lab::note_shares() {
    const auto note = [this](const char* end, const auto& shards, const std::vector<unsigned>& cores) {
        for (std::size_t i = 0; i < shards.size(); ++i)
            result_.shards.push_back({end, cores[i], shards[i]->report().connections, 0});
    };
    note("server", servers_, options_.server_cores);
    note("client", clients_, options_.client_cores);
}

// Between the last report and the one before.
StallResults Lab::stalls() const {
    const auto sum = [](const auto& shards) {
        Stalls all;
        for (const auto& shard : shards)
            all.merge(shard->report().stalls);
        return StallResult{.turns = all.turns.count(),
                           .turn_ns = quantiles(all.turns),
                           .over_1ms = all.over_1ms,
                           .own_over_1ms = all.own_over_1ms,
                           .own_max_ns = static_cast<std::uint64_t>(all.own_max.count())};
    };
    return {{"server", sum(servers_)}, {"client", sum(clients_)}};
}

// As of the last report.
std::uint64_t Lab::server_counter(const std::string& name) const {
    return counter(servers_, name);
}

std::uint64_t Lab::server_memory() const {
    std::uint64_t bytes = 0;
    for (const auto& server : servers_)
        bytes += server->report().memory_in_use;
    return bytes;
}

void Lab::finish() {
    std::uint64_t corrupted = 0, connections_lost = 0;
    for (const auto& client : clients_) {
        corrupted += client->talker().corrupted();
        connections_lost += client->talker().connections_lost();
    }
    judge(result_, server_totals(), corrupted, connections_lost);
    result_.clock = clock_result(*drift_);

    std::size_t place = 0;
    const auto add = [&](const std::string& end, const auto& shards) {
        for (const auto& shard : shards) {
            const auto& counters = shard->report().counters;
            for (const auto& [name, value] : counters)
                result_.counters[end][name] += value;
            result_.shards[place++].messages = counters.at("ws_messages_received");
        }
    };
    add("server", servers_);
    add("client", clients_);
}

}  // namespace

Expected<Result> run_lab(const LabOptions& options, int argc, const char* const* argv) {
    Result result{.program = "millrace-bench lab", .environment = describe_machine(argc, argv)};
    Environment& environment = result.environment;
    environment.seed = options.seed;
    environment.server_cores = options.server_cores;
    environment.client_cores = options.client_cores;
    environment.checksums = options.checksums;
    if (!options.checksums)
        result.remarks.push_back("checksums were neither computed nor checked, as with a NIC that does both");
    for (const unsigned core : options.server_cores)
        if (std::find(options.client_cores.begin(), options.client_cores.end(), core) !=
            options.client_cores.end()) {
            result.remarks.push_back("server and client share a core: each gets half of it at best");
            break;
        }
    catch_interrupts();
    Lab lab(options, result);
    if (auto ready = lab.set_up(); !ready) return tl::unexpected(ready.error());
    lab.run();
    return result;
}

}  // namespace millrace::bench
