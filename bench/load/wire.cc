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

Json to_wire(const RunBooks& run) {
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
            {"rtt", run.rtt.packed()},
            {"send_lag", run.send_lag.packed()}};
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
    read(wire.at("rtt"), out.rtt);
    read(wire.at("send_lag"), out.send_lag);
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
