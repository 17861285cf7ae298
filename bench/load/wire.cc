#include "bench/load/wire.h"

namespace millrace::bench {

namespace {

using Json = nlohmann::json;

Reasons reasons_of(const Json& wire) {
    Reasons reasons;
    for (const auto& [why, count] : wire.items())
        reasons.add(why, count.get<std::uint64_t>());
    return reasons;
}

void read(const Json& wire, Histogram& out) {
    // Buckets that there are not are no JSON's fault, but thrown alike.
    if (!out.merge_packed(wire.get<std::vector<std::uint64_t>>()))
        throw Json::other_error::create(501, "not a histogram", nullptr);
}

Json to_wire(const Latencies& latencies) {
    Json parts = Json::array();
    for (const Histogram& part : latencies.rtt_parts)
        parts.push_back(part.packed());
    return {{"rtt_parts", parts},
            {"service", latencies.service.packed()},
            {"send_lag", latencies.send_lag.packed()},
            {"heat_column", latencies.heat.column().count()},
            {"heat", latencies.heat.counts()}};
}

void read(const Json& wire, Latencies& out) {
    for (const Json& part : wire.at("rtt_parts"))
        read(part, out.rtt_parts.emplace_back());
    read(wire.at("service"), out.service);
    read(wire.at("send_lag"), out.send_lag);
    auto heat = wire.at("heat").get<std::vector<std::uint32_t>>();
    if (!heat.empty() && heat.size() != HeatMap::kColumns * HeatMap::kRows)
        throw Json::other_error::create(501, "not a heat map", nullptr);
    out.heat.set(Duration(wire.at("heat_column").get<std::int64_t>()), std::move(heat));
}

Json to_wire(const PollTrace& trace) {
    Json gaps = Json::array();
    for (const Gap& gap : trace.gaps)
        gaps.push_back({gap.at.count(), gap.length.count()});
    return {{"core", trace.core},
            {"idle", trace.idle.count()},
            {"busy", trace.busy.count()},
            {"idle_turns", trace.idle_turns.packed()},
            {"gaps", gaps},
            {"all_gaps", trace.all_gaps},
            {"in_gaps", trace.in_gaps.count()}};
}

void read(const Json& wire, PollTrace& out) {
    const auto time = [&wire](const char* key) { return Duration(wire.at(key).get<std::int64_t>()); };
    wire.at("core").get_to(out.core);
    out.idle = time("idle");
    out.busy = time("busy");
    read(wire.at("idle_turns"), out.idle_turns);
    for (const Json& gap : wire.at("gaps"))
        out.gaps.push_back(
            {Duration(gap.at(0).get<std::int64_t>()), Duration(gap.at(1).get<std::int64_t>())});
    wire.at("all_gaps").get_to(out.all_gaps);
    out.in_gaps = time("in_gaps");
}

Json to_wire(const RunBooks& run) {
    Json polls = Json::array();
    for (const PollTrace& trace : run.polls)
        polls.push_back(to_wire(trace));
    return {{"began_late", run.began_late.count()},
            {"measured", run.measured.count()},
            {"began_with", run.began_with},
            {"messages", run.messages},
            {"bytes", run.bytes},
            {"sent", run.sent},
            {"unsent", run.unsent},
            {"lost", run.lost},
            {"corrupted", run.corrupted},
            {"closed", run.closed.counts()},
            {"failed", run.failed.counts()},
            {"latencies", to_wire(run.latencies)},
            {"polls", polls},
            {"counters", run.counters}};
}

void read(const Json& wire, RunBooks& out) {
    out.began_late = Duration(wire.at("began_late").get<std::int64_t>());
    out.measured = Duration(wire.at("measured").get<std::int64_t>());
    wire.at("began_with").get_to(out.began_with);
    wire.at("messages").get_to(out.messages);
    wire.at("bytes").get_to(out.bytes);
    wire.at("sent").get_to(out.sent);
    wire.at("unsent").get_to(out.unsent);
    wire.at("lost").get_to(out.lost);
    wire.at("corrupted").get_to(out.corrupted);
    out.closed = reasons_of(wire.at("closed"));
    out.failed = reasons_of(wire.at("failed"));
    read(wire.at("latencies"), out.latencies);
    for (const Json& trace : wire.at("polls"))
        read(trace, out.polls.emplace_back());
    wire.at("counters").get_to(out.counters);
}

}  // namespace

Json to_wire(const LoadCommand& command) {
    return {{"order", static_cast<unsigned>(command.order)},
            {"rate", command.rate},
            {"start", command.start.count()}};
}

LoadCommand command_of(const Json& wire) {
    return {.order = static_cast<LoadOrder>(wire.at("order").get<unsigned>()),
            .rate = wire.at("rate").get<double>(),
            .start = Duration(wire.at("start").get<std::int64_t>())};
}

Json to_wire(const LoadCounts& counts) {
    return {{"opened", counts.opened}, {"failed", counts.failed}, {"messages", counts.messages}};
}

LoadCounts counts_of(const Json& wire) {
    return {.opened = wire.at("opened").get<std::uint64_t>(),
            .failed = wire.at("failed").get<std::uint64_t>(),
            .messages = wire.at("messages").get<std::uint64_t>()};
}

Json to_wire(const LoadTally& tally) {
    return {{"opened", tally.opened},
            {"failed", tally.failed},
            {"connecting", tally.connecting.count()},
            {"failed_because", tally.failed_because.counts()},
            {"run", to_wire(tally.run)}};
}

LoadTally tally_of(const Json& wire) {
    LoadTally tally;
    wire.at("opened").get_to(tally.opened);
    wire.at("failed").get_to(tally.failed);
    tally.connecting = Duration(wire.at("connecting").get<std::int64_t>());
    tally.failed_because = reasons_of(wire.at("failed_because"));
    read(wire.at("run"), tally.run);
    return tally;
}

}  // namespace millrace::bench
