#include "bench/result/result_file.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>

namespace millrace::bench {

namespace {

using Json = nlohmann::ordered_json;

Json to_json(const Quantiles& q) {
    return {{"min", q.min}, {"mean", q.mean},   {"p50", q.p50},       {"p90", q.p90},
            {"p99", q.p99}, {"p99_9", q.p99_9}, {"p99_99", q.p99_99}, {"max", q.max}};
}

Json to_json(const Environment& e) {
    return {{"cpu", e.cpu},
            {"cores", e.cores},
            {"kernel", e.kernel},
            {"dpdk", e.dpdk},
            {"carrier", e.carrier},
            {"eal", e.eal},
            {"hugepages", e.hugepages},
            {"argv", e.argv},
            {"seed", e.seed},
            {"commit", e.commit},
            {"server_cores", e.server_cores},
            {"client_cores", e.client_cores},
            {"checksums", e.checksums}};
}

Json to_json(const StallResults& ends) {
    Json json = Json::object();
    for (const auto& [end, r] : ends)
        json[end] = {{"turns", r.turns},
                     {"turn_ns", to_json(r.turn_ns)},
                     {"over_1ms", r.over_1ms},
                     {"own_over_1ms", r.own_over_1ms},
                     {"own_max_ns", r.own_max_ns}};
    return json;
}

Json to_json(const ConnectResult& r) {
    return {{"connections", r.connections},
            {"failed", r.failed},
            {"failed_because", r.failed_because},
            {"populate_seconds", r.populate_seconds},
            {"seconds", r.seconds},
            {"rate_per_s", r.rate_per_s},
            {"rates_per_s", r.rates_per_s},
            {"server_bytes_per_connection", r.server_bytes_per_connection},
            {"client_bytes_per_connection", r.client_bytes_per_connection},
            {"process_bytes_per_connection", r.process_bytes_per_connection},
            {"stalls", to_json(r.stalls)}};
}

Json to_json(const HoldResult& r) {
    return {{"connections", r.connections},
            {"verified", r.verified},
            {"lost", r.lost},
            {"held_seconds", r.held_seconds},
            {"ping_interval_s", r.ping_interval_s},
            {"pings", r.pings},
            {"pongs", r.pongs},
            {"unanswered", r.unanswered},
            {"stalls", to_json(r.stalls)}};
}

Json to_json(const EchoResult& r) {
    return {{"connections", r.connections},
            {"payload_bytes", r.payload_bytes},
            {"in_flight", r.in_flight},
            {"seconds", r.seconds},
            {"messages_per_s", r.messages_per_s},
            {"bytes_per_s", r.bytes_per_s},
            {"messages", r.messages},
            {"verified_bytes", r.verified_bytes},
            {"server_verified_bytes", r.server_verified_bytes},
            {"corrupted", r.corrupted},
            {"lost", r.lost},
            {"client_segments", r.client_segments}};
}

Json to_json(const FanoutTurn& t) {
    return {{"published", t.published},
            {"deliveries", t.deliveries},
            {"deliveries_per_s", t.deliveries_per_s},
            {"segments", t.segments},
            {"last_subscriber_ns", to_json(t.last_subscriber_ns)}};
}

// Flat for the turn that everybody means, DESIGN section 7; the others by name.
Json to_json(const FanoutResult& r) {
    Json json = to_json(r.single);
    json.update({{"subscribers", r.subscribers},
                 {"failed", r.failed},
                 {"payload_bytes", r.payload_bytes},
                 {"topics", r.topics},
                 {"topics_each", r.topics_each},
                 {"server_bytes_per_subscriber", r.server_bytes_per_subscriber},
                 {"burst", r.burst},
                 {"gaps", r.gaps},
                 {"wrong", r.wrong},
                 {"ended", r.ended},
                 {"refused", r.refused}});
    for (const auto& [name, turn] : {std::pair{"merged", &r.merged},
                                     {"at_half", &r.at_half},
                                     {"at_four_fifths", &r.at_four_fifths},
                                     {"with_stalled", &r.with_stalled}})
        if (turn->published != 0) json[name] = to_json(*turn);
    if (r.stalled != 0) {
        json["stalled"] = r.stalled;
        json["stalled_growth_bytes"] = r.stalled_growth_bytes;
    }
    return json;
}

Json to_json(const ScatterResult& r) {
    return {{"connections", r.connections},
            {"few_connections", r.few_connections},
            {"messages_per_s", r.messages_per_s},
            {"few_messages_per_s", r.few_messages_per_s},
            {"ratio", r.ratio},
            {"messages", r.messages},
            {"corrupted", r.corrupted},
            {"lost", r.lost}};
}

Json to_json(const ChurnResult& r) {
    return {{"seconds", r.seconds}, {"rate_per_s", r.rate_per_s},         {"rounds", r.rounds},
            {"failed", r.failed},   {"failed_because", r.failed_because}, {"stalls", to_json(r.stalls)}};
}

Json to_json(const CloseResult& r) {
    return {{"connections", r.connections},
            {"closed", r.closed},
            {"seconds", r.seconds},
            {"rate_per_s", r.rate_per_s},
            {"stalls", to_json(r.stalls)}};
}

// "buckets": the highest value of each that is not empty, and how many are in it.
Json to_json(const Histogram& h) {
    Json buckets = Json::array();
    h.visit([&buckets](std::uint64_t end, std::uint64_t count) { buckets.push_back({end, count}); });
    return {
        {"sum", h.sum()}, {"min", h.min()}, {"max", h.max()}, {"clamped", h.clamped()}, {"buckets", buckets}};
}

// "cells": column, row and how many, of those that are not empty.
Json to_json(const HeatMap& heat) {
    Json cells = Json::array(), rows = Json::array();
    for (std::size_t i = 0; i < heat.counts().size(); ++i)
        if (heat.counts()[i] != 0)
            cells.push_back({i / HeatMap::kRows, i % HeatMap::kRows, heat.counts()[i]});
    for (std::size_t row = 0; row < HeatMap::kRows; ++row)
        rows.push_back(HeatMap::begin_of(row));
    return {{"columns", HeatMap::kColumns},
            {"column_ns", heat.column().count()},
            {"row_begins_ns", rows},
            {"cells", cells}};
}

Json to_json(const Latencies& l) {
    Json parts = Json::array();
    for (const Histogram& part : l.rtt_parts)
        parts.push_back(to_json(part));
    return {{"rtt", to_json(l.rtt())},
            {"service", to_json(l.service)},
            {"send_lag", to_json(l.send_lag)},
            {"rtt_parts", parts},
            {"heat_map", to_json(l.heat)}};
}

double share_of(Duration part, Duration rest) {
    const auto whole = static_cast<double>((part + rest).count());
    return whole > 0 ? static_cast<double>(part.count()) / whole : 0;
}

// In the order of time.
Json to_json(const std::vector<PollTrace>& polls) {
    Json cores = Json::array();
    for (const PollTrace& trace : polls) {
        auto gaps = trace.gaps;
        std::sort(gaps.begin(), gaps.end(), [](const Gap& a, const Gap& b) { return a.at < b.at; });
        Json longest = Json::array();
        for (const Gap& gap : gaps)
            longest.push_back({gap.at.count(), gap.length.count()});
        cores.push_back({{"core", trace.core},
                         {"idle", share_of(trace.idle, trace.busy)},
                         {"idle_turn_ns", to_json(quantiles(trace.idle_turns))},
                         {"gaps", trace.all_gaps},
                         {"in_gaps_ns", trace.in_gaps.count()},
                         {"longest_gaps_at_ns", longest}});
    }
    return cores;
}

Json to_json(const LatencyResult& r) {
    return {{"mode", r.mode},
            {"url", r.url},
            {"connections", r.connections},
            {"payload_bytes", r.payload_bytes},
            {"requested_per_s", r.requested_per_s},
            {"rate_per_s", r.rate_per_s},
            {"seconds", r.seconds},
            {"measured_at", r.measured_at},
            {"sent", r.sent},
            {"unsent", r.unsent},
            {"lost", r.lost},
            {"corrupted", r.corrupted},
            {"closed", r.closed},
            {"retransmits", r.retransmits},
            {"rtt_ns", to_json(r.rtt_ns)},
            {"service_ns", to_json(r.service_ns)},
            {"send_lag_ns", to_json(r.send_lag_ns)},
            {"floor_rtt_ns", to_json(r.floor_rtt_ns)},
            {"rtt_p50_over_floor_p50", r.rtt_p50_over_floor_p50},
            {"missed", r.missed},
            {"cores", to_json(r.polls)},
            {"histograms", to_json(r.latencies)}};
}

Json to_json(const BulkResult& r) {
    return {{"payload_bytes", r.payload_bytes},
            {"seconds", r.seconds},
            {"gbit_per_s", r.gbit_per_s},
            {"mtu", r.mtu},
            {"mss", r.mss},
            {"window_bytes", r.window_bytes},
            {"segments", r.segments},
            {"acknowledgments", r.acknowledgments},
            {"retransmits", r.retransmits},
            {"corrupted_bytes", r.corrupted_bytes},
            {"checksums", r.checksums},
            {"sender_busy", r.sender_busy},
            {"receiver_busy", r.receiver_busy},
            {"sender_cpu", r.sender_cpu},
            {"receiver_cpu", r.receiver_cpu}};
}

Json to_json(const LoadResult& r) {
    Json tries = Json::array();
    for (const LoadResult::Try& t : r.tries)
        tries.push_back({{"rate_per_s", t.rate_per_s},
                         {"p50_ns", t.p50_ns},
                         {"p99_ns", t.p99_ns},
                         {"too_much", t.too_much}});
    return {{"mode", r.mode},
            {"connections", r.connections},
            {"in_flight", r.in_flight},
            {"requested_per_s", r.requested_per_s},
            {"seconds", r.seconds},
            {"measured_at", r.measured_at},
            {"messages", r.messages},
            {"messages_per_s", r.messages_per_s},
            {"bytes_per_s", r.bytes_per_s},
            {"sent", r.sent},
            {"unsent", r.unsent},
            {"lost", r.lost},
            {"corrupted", r.corrupted},
            {"closed", r.closed},
            {"closed_because", r.closed_because},
            {"failed_because", r.failed_because},
            {"retransmits", r.retransmits},
            {"rtt_ns", to_json(r.rtt_ns)},
            {"service_ns", to_json(r.service_ns)},
            {"send_lag_ns", to_json(r.send_lag_ns)},
            {"tries", tries},
            {"missed", r.missed}};
}

Json to_json(const ProcessesResult& r) {
    return {{"count", r.count}, {"lost", r.lost}, {"began_within_ns", r.began_within_ns}};
}

// Two blanks a level, but what has tens of thousands of numbers in one line each.
std::string text_of(Json whole) {
    constexpr std::string_view kPlace = "\"@histograms\"";
    std::string histograms;
    if (Json& stages = whole["stages"]; stages.contains("latency")) {
        Json& place = stages["latency"]["histograms"];
        for (const auto& [name, histogram] : place.items()) {
            histograms += (histograms.empty() ? "{\n" : ",\n") + Json(name).dump() + ": ";
            histograms += histogram.dump();
        }
        histograms += "\n}";
        place = "@histograms";
    }
    std::string text = whole.dump(2) + "\n";
    if (!histograms.empty()) text.replace(text.rfind(kPlace), kPlace.size(), histograms);
    return text;
}

}  // namespace

Quantiles quantiles(const Histogram& h) {
    return {.min = h.min(),
            .mean = h.mean(),
            .p50 = h.percentile(50),
            .p90 = h.percentile(90),
            .p99 = h.percentile(99),
            .p99_9 = h.percentile(99.9),
            .p99_99 = h.percentile(99.99),
            .max = h.max()};
}

Json to_json(const Result& result) {
    Json stages = Json::object();
    if (result.connect) stages["connect"] = to_json(*result.connect);
    if (result.hold) stages["hold"] = to_json(*result.hold);
    if (result.echo) stages["echo"] = to_json(*result.echo);
    if (result.scatter) stages["scatter"] = to_json(*result.scatter);
    if (result.fanout) stages["fanout"] = to_json(*result.fanout);
    if (result.latency) stages["latency"] = to_json(*result.latency);
    if (result.churn) stages["churn"] = to_json(*result.churn);
    if (result.close) stages["close"] = to_json(*result.close);
    if (result.bulk) stages["bulk"] = to_json(*result.bulk);
    if (result.load) stages["load"] = to_json(*result.load);
    Json shards = Json::array();
    for (const ShardShare& s : result.shards)
        shards.push_back(
            {{"end", s.end}, {"core", s.core}, {"connections", s.connections}, {"messages", s.messages}});
    Json whole = {{"schema", 1},
                  {"program", result.program},
                  {"valid", result.valid()},
                  {"invalid_because", result.invalid_because},
                  {"remarks", result.remarks},
                  {"environment", to_json(result.environment)},
                  {"stages", stages},
                  {"shards", shards},
                  {"counters", result.counters}};
    if (result.clock)
        whole["clock"] = {{"tsc_invariant", result.clock->invariant},
                          {"ticks_per_s", result.clock->ticks_per_s},
                          {"drift_ppm", result.clock->drift_ppm}};
    if (result.processes) whole["processes"] = to_json(*result.processes);
    return whole;
}

std::string text_of(const Result& result) {
    return text_of(to_json(result));
}

std::string text_of(const std::vector<Result>& runs) {
    std::string text = "{\n\"schema\": 1,\n\"runs\": [\n";
    for (const Result& run : runs)
        text += (&run == runs.data() ? "" : ",\n") + text_of(run);
    return text + "]\n}\n";
}

Expected<void> write_result(const Result& result, const std::string& path) {
    return write_text(text_of(result), path);
}

Expected<void> write_text(const std::string& text, const std::string& path) {
    if (path == "-") {
        std::cout << text << std::flush;
        if (!std::cout) return fail("cannot write to standard output");
        return {};
    }
    // A device or a pipe cannot be replaced by renaming a file over it.
    std::error_code ignored;
    const bool replace =
        !std::filesystem::exists(path, ignored) || std::filesystem::is_regular_file(path, ignored);
    const std::string place = replace ? path + ".part" : path;
    std::ofstream file(place, std::ios::trunc);
    file << text << std::flush;
    if (!file) return fail("cannot write the file " + place + ": " + std::strerror(errno));
    file.close();
    if (replace && std::rename(place.c_str(), path.c_str()) != 0)
        return fail("cannot rename " + place + " to " + path + ": " + std::strerror(errno));
    return {};
}

}  // namespace millrace::bench
