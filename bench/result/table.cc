#include "bench/result/table.h"

#include <fmt/format.h>

#include <cmath>
#include <iterator>

#include "engine/options/units.h"

namespace millrace::bench {

namespace {

// "  connect   " in front of a stage's first line, as many blanks in front of the others.
class Block {
  public:
    Block(std::string& out, std::string_view name) : out_(out), name_(name) {}

    template <class... Args>
    void line(fmt::format_string<Args...> format, Args&&... args) {
        fmt::format_to(std::back_inserter(out_), "  {:<9} ", name_);
        fmt::format_to(std::back_inserter(out_), format, std::forward<Args>(args)...);
        out_ += '\n';
        name_ = "";
    }

  private:
    std::string& out_;
    std::string_view name_;
};

std::string rounded(double number) {
    return with_commas(static_cast<std::uint64_t>(std::llround(number)));
}

std::string ns(std::uint64_t nanoseconds) {
    return format_duration(Duration(nanoseconds));
}
std::string bytes(std::uint64_t count) {
    return format_bytes(static_cast<double>(count));
}

std::string cores_text(const std::vector<unsigned>& cores) {
    std::string out = cores.size() == 1 ? "core " : "cores ";
    for (const unsigned core : cores)
        out += (out.back() == ' ' ? "" : ",") + std::to_string(core);
    return out;
}

void show_reasons(Block& block, std::string_view what, const std::map<std::string, std::uint64_t>& reasons) {
    for (const auto& [reason, count] : reasons)
        block.line("  {}: {} {}", what, with_commas(count), reason);
}

void show_quantiles_head(Block& block) {
    block.line("{:>12} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}", "", "min", "p50", "p90", "p99", "p99.9", "max");
}

void show_quantiles(Block& block, std::string_view name, const Quantiles& q) {
    block.line("{:>12} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}", name, ns(q.min), ns(q.p50), ns(q.p90), ns(q.p99),
               ns(q.p99_9), ns(q.max));
}

// A line an end.
void show_stalls(Block& block, const StallResults& stalls) {
    for (const auto& [end, r] : stalls) {
        if (r.turns == 0) continue;
        block.line("the {}'s longest turn of the loop took {}; of {} over 1 ms {} took so much CPU time", end,
                   ns(r.own_max_ns), with_commas(r.over_1ms), with_commas(r.own_over_1ms));
    }
}

// A line a core.
void show_polls(Block& block, const std::vector<PollTrace>& polls) {
    for (const PollTrace& trace : polls) {
        const auto whole = static_cast<double>((trace.idle + trace.busy).count());
        if (whole == 0) continue;
        block.line(
            "core {} was idle {:.0f} % of the time; {} gaps over {} in it, the longest {}, took {:.3g} %",
            trace.core, 100 * static_cast<double>(trace.idle.count()) / whole, with_commas(trace.all_gaps),
            format_duration(PollMeter::kGap), ns(trace.all_gaps == 0 ? 0 : trace.idle_turns.max()),
            100 * static_cast<double>(trace.in_gaps.count()) / whole);
    }
}

void show(std::string& out, const ConnectResult& r) {
    Block block(out, "connect");
    block.line("{} connections a second", rounded(r.rate_per_s));
    if (r.rates_per_s.size() > 1)
        block.line("{} for the first million, {} for the last", rounded(r.rates_per_s.front()),
                   rounded(r.rates_per_s.back()));
    block.line("{} TCP and WebSocket handshakes in {:.3g} s, {} failed", with_commas(r.connections),
               r.seconds, with_commas(r.failed));
    show_reasons(block, "failed", r.failed_because);
    if (r.populate_seconds > 0.1)
        block.line("their memory was taken before, in {:.3g} s", r.populate_seconds);
    if (r.server_bytes_per_connection != 0)
        block.line("an idle connection holds {} at the server, {} at the client",
                   format_bytes(r.server_bytes_per_connection), format_bytes(r.client_bytes_per_connection));
    show_stalls(block, r.stalls);
}

void show(std::string& out, const HoldResult& r) {
    Block block(out, "hold");
    block.line("{} of {} connections echoed a message through, verified; {} lost", with_commas(r.verified),
               with_commas(r.connections), with_commas(r.lost));
    if (r.ping_interval_s > 0)
        block.line(
            "held for {:.3g} s with pings every {:.3g} s: {} sent, {} answered, {} connections given up",
            r.held_seconds, r.ping_interval_s, with_commas(r.pings), with_commas(r.pongs),
            with_commas(r.unanswered));
    show_stalls(block, r.stalls);
}

void show(std::string& out, const ScatterResult& r) {
    Block block(out, "scatter");
    block.line("{} messages a second there and back, each on one of {} connections at random",
               rounded(r.messages_per_s), with_commas(r.connections));
    block.line("{:.2f} of the {} with {} connections, in turns with them", r.ratio,
               rounded(r.few_messages_per_s), with_commas(r.few_connections));
}

void show(std::string& out, const FanoutResult& r) {
    Block block(out, "fanout");
    block.line("{} subscribers of {} of {} topics, {} payload, {} each at the server",
               with_commas(r.subscribers), with_commas(r.topics_each), with_commas(r.topics),
               format_bytes(static_cast<double>(r.payload_bytes)),
               format_bytes(r.server_bytes_per_subscriber));
    const auto turn = [&block](std::string_view what, const FanoutTurn& t) {
        if (t.published == 0) return;
        block.line(
            "{}: {} deliveries a second, {:.2f} a segment; the last subscriber after {} (p50), {} (p99)",
            what, rounded(t.deliveries_per_s),
            static_cast<double>(t.deliveries) / static_cast<double>(std::max(t.segments, std::uint64_t{1})),
            ns(t.last_subscriber_ns.p50), ns(t.last_subscriber_ns.p99));
    };
    turn("one message at a time", r.single);
    turn(fmt::format("{} at once", r.burst), r.merged);
    turn("at 80 %", r.at_four_fifths);
    turn("at 50 %", r.at_half);
    turn(fmt::format("with {} who do not read", with_commas(r.stalled)), r.with_stalled);
}

void show(std::string& out, const ChurnResult& r) {
    Block block(out, "churn");
    block.line("{} connections a second: connect, upgrade, one verified echo, close", rounded(r.rate_per_s));
    block.line("{} of them in {:.3g} s, {} failed", with_commas(r.rounds), r.seconds, with_commas(r.failed));
    show_reasons(block, "failed", r.failed_because);
    show_stalls(block, r.stalls);
}

void show(std::string& out, const CloseResult& r) {
    Block block(out, "close");
    block.line("{} connections a second", rounded(r.rate_per_s));
    block.line("{} of {} closed in {:.3g} s, each with the closing handshake", with_commas(r.closed),
               with_commas(r.connections), r.seconds);
    show_stalls(block, r.stalls);
}

void show(std::string& out, const EchoResult& r) {
    Block block(out, "echo");
    block.line("{} messages a second there and back, {}/s each way", rounded(r.messages_per_s),
               format_bytes(r.bytes_per_s));
    block.line("{} connections, {} message{} in flight on each, {} payload, {:.3g} s",
               with_commas(r.connections), with_commas(r.in_flight), r.in_flight == 1 ? "" : "s",
               bytes(r.payload_bytes), r.seconds);
    block.line("every byte verified at both ends: {} messages, {} corrupted, {} lost",
               with_commas(r.messages), with_commas(r.corrupted), with_commas(r.lost));
    if (r.messages != 0)
        block.line("{:.2f} segments a message from the client",
                   static_cast<double>(r.client_segments) / static_cast<double>(r.messages));
}

void show(std::string& out, const LatencyResult& r) {
    Block block(out, "latency");
    if (r.floor_rtt_ns.p50 != 0)
        block.line("{} round trip, median; the bare ring between the same cores takes {}: {:.2f} times",
                   ns(r.rtt_ns.p50), ns(r.floor_rtt_ns.p50), r.rtt_p50_over_floor_p50);
    const bool open_loop = r.requested_per_s > 0;
    block.line("{}, {} connection{}, messages of {}, {:.3g} s", r.mode, with_commas(r.connections),
               r.connections == 1 ? "" : "s", bytes(r.payload_bytes), r.seconds);
    if (open_loop)
        block.line("{} messages a second of {} asked for", rounded(r.rate_per_s), rounded(r.requested_per_s));
    block.line("{} sent, {} lost, {} corrupted, {} without room, {} segments sent again", with_commas(r.sent),
               with_commas(r.lost), with_commas(r.corrupted), with_commas(r.unsent),
               with_commas(r.retransmits));
    show_quantiles_head(block);
    // A figure that leaves out the waiting is not shown without the one that does not.
    show_quantiles(block, "round trip", r.rtt_ns);
    if (open_loop) {
        show_quantiles(block, "service", r.service_ns);
        show_quantiles(block, "send lag", r.send_lag_ns);
        block.line("(round trip: from when a message was due; service: from when it was sent)");
    }
    if (r.floor_rtt_ns.p50 != 0) show_quantiles(block, "bare ring", r.floor_rtt_ns);
    show_polls(block, r.polls);
}

void show(std::string& out, const BulkResult& r) {
    Block block(out, "bulk");
    block.line("{:.3g} Gbit/s of payload over one connection, MSS {}", r.gbit_per_s, with_commas(r.mss));
    block.line("{} in {:.3g} s, every byte written by the sender and compared by the receiver; {} changed",
               bytes(r.payload_bytes), r.seconds, with_commas(r.corrupted_bytes));
    block.line("IPv4 and TCP checksums {}", r.checksums == "software"
                                                ? "computed and verified in software at both ends"
                                                : "neither computed nor verified");
    block.line("{} segments, {} sent again; {} acknowledgments", with_commas(r.segments),
               with_commas(r.retransmits), with_commas(r.acknowledgments));
    block.line("busy: the sender {:.0f} % of the time, the receiver {:.0f} %", 100 * r.sender_busy,
               100 * r.receiver_busy);
}

void show(std::string& out, const LoadResult& r) {
    Block block(out, "load");
    if (r.mode == "churn") {
        block.line("{} rounds a second: connect, upgrade, one echo, close", rounded(r.messages_per_s));
    } else if (r.requested_per_s > 0) {
        block.line("{} messages a second of {} asked for, {}/s", rounded(r.messages_per_s),
                   rounded(r.requested_per_s), format_bytes(r.bytes_per_s));
    } else {
        block.line("{} messages a second, {}/s", rounded(r.messages_per_s), format_bytes(r.bytes_per_s));
    }
    block.line("{}, {} connections{}, {:.3g} s", r.mode, with_commas(r.connections),
               r.in_flight == 0 ? "" : fmt::format(", {} in flight on each", with_commas(r.in_flight)),
               r.seconds);
    block.line("{} sent, {} lost, {} corrupted, {} without room", with_commas(r.sent), with_commas(r.lost),
               with_commas(r.corrupted), with_commas(r.unsent));
    show_reasons(block, "closed", r.closed_because);
    show_reasons(block, "failed", r.failed_because);
    for (const LoadResult::Try& t : r.tries)
        block.line("tried {:>6} a second: p50 {}, p99 {}{}", format_count(t.rate_per_s), ns(t.p50_ns),
                   ns(t.p99_ns), t.too_much.empty() ? "" : "; too much: " + t.too_much);
    if (r.rtt_ns.max == 0) return;
    show_quantiles_head(block);
    show_quantiles(block, r.mode == "churn" ? "round" : "round trip", r.rtt_ns);
    if (r.requested_per_s > 0) show_quantiles(block, "send lag", r.send_lag_ns);
}

}  // namespace

std::string with_commas(std::uint64_t number) {
    std::string digits = std::to_string(number);
    for (std::size_t i = digits.size(); i > 3; i -= 3)
        digits.insert(i - 3, ",");
    return digits;
}

std::string table(const Result& result) {
    const Environment& e = result.environment;
    const std::string server =
        e.server_cores.empty() ? "" : fmt::format("server on {}, ", cores_text(e.server_cores));
    std::string out = fmt::format("\n{}: {}, {}; {}client on {}\n\n", result.program, e.carrier, e.cpu,
                                  server, cores_text(e.client_cores));
    if (result.processes)
        out += fmt::format("  {} processes, {} lost; the run began in all of them within {}\n\n",
                           result.processes->count, result.processes->lost.size(),
                           ns(result.processes->began_within_ns));
    if (result.connect) show(out, *result.connect);
    if (result.hold) show(out, *result.hold);
    if (result.echo) show(out, *result.echo);
    if (result.scatter) show(out, *result.scatter);
    if (result.fanout) show(out, *result.fanout);
    if (result.latency) show(out, *result.latency);
    if (result.churn) show(out, *result.churn);
    if (result.close) show(out, *result.close);
    if (result.bulk) show(out, *result.bulk);
    if (result.load) show(out, *result.load);
    if (result.latency && result.clock)
        out += fmt::format("  clock     the TSC, {}; it ran {:+.2f} ppm against the kernel's clock\n",
                           result.clock->invariant ? "invariant" : "NOT INVARIANT", result.clock->drift_ppm);
    if (!result.remarks.empty() || !result.valid() || !result.thresholds_hold()) out += '\n';
    for (const std::string& remark : result.remarks)
        out += fmt::format("  note: {}\n", remark);
    const auto say_missed = [&out](const std::vector<std::string>& all) {
        for (const std::string& missed : all)
            out += fmt::format("  MISSED: {}\n", missed);
    };
    if (result.load) say_missed(result.load->missed);
    if (result.latency) say_missed(result.latency->missed);
    for (const std::string& reason : result.invalid_because)
        out += fmt::format("  INVALID: {}\n", reason);
    return out;
}

}  // namespace millrace::bench
