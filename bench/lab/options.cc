#include "bench/lab/options.h"

#include <map>
#include <string_view>

#include "bench/options/bind.h"
#include "bench/options/cores.h"
#include "engine/options/units.h"

namespace millrace::bench {

namespace {

Expected<void> choose_stages(const std::vector<std::string>& names, LabOptions& options) {
    if (names.empty()) return {};
    const std::map<std::string_view, bool*> stages{
        {"connect", &options.connect}, {"hold", &options.hold},       {"echo", &options.echo},
        {"scatter", &options.scatter}, {"latency", &options.latency}, {"churn", &options.churn},
        {"close", &options.close},     {"fanout", &options.fanout}};
    for (const auto& [name, chosen] : stages)
        *chosen = false;
    for (const std::string& name : names) {
        const auto stage = stages.find(name);
        if (stage == stages.end())
            return fail("--stages: '" + name +
                        "' is not a stage; the stages are connect, hold, echo, scatter, latency, churn, "
                        "fanout and close");
        *stage->second = true;
    }
    return {};
}

// Without --connections a run makes no more connections than its stages use.
Expected<void> choose_connections(const LabArguments& arguments, LabOptions& options) {
    if (arguments.echo_connections) options.echo_connections = *arguments.echo_connections;
    if (arguments.connections)
        options.connections = *arguments.connections;
    else if (!options.connect && !options.hold && !options.scatter && !options.close)
        options.connections = options.echo ? options.echo_connections : 1;
    if (options.connections == 0 || options.connections > 0xffffffff)
        return fail("--connections must be between 1 and 4,294,967,295");
    if (options.echo_connections == 0) return fail("--echo-connections must be at least 1");
    if (options.echo_connections > options.connections) {
        if (arguments.echo_connections)
            return fail("--echo-connections cannot be more than --connections, which is " +
                        std::to_string(options.connections));
        options.echo_connections = options.connections;
    }
    return {};
}

Expected<void> choose_cores(const LabArguments& arguments, const std::vector<unsigned>& cpus,
                            LabOptions& options) {
    std::vector<unsigned>& server = options.server_cores;
    std::vector<unsigned>& client = options.client_cores;
    if (!arguments.cores.empty()) {
        if (!server.empty() || !client.empty())
            return fail(
                "--cores cannot be combined with --cores-server or --cores-client: the two name the same "
                "thing");
        const std::vector<unsigned>& cores = arguments.cores;
        if (cores.size() > 1 && cores.size() % 2 != 0)
            return fail(
                "--cores takes one core or an even number, half for each end; name the cores of each with "
                "--cores-server and --cores-client");
        const auto half = static_cast<std::ptrdiff_t>(cores.size() / 2);
        server.assign(cores.begin(), cores.size() == 1 ? cores.end() : cores.begin() + half);
        client.assign(cores.begin() + half, cores.end());
    }
    if (server.empty() != client.empty())
        return fail("--cores-server and --cores-client go together: name both, or neither");
    if (server.empty()) {
        server = {cpus.front()};
        client = {cpus.size() > 1 ? cpus[1] : cpus[0]};
    }
    for (const auto* cores : {&server, &client})
        if (auto checked = check_cores(*cores, cpus); !checked) return checked;
    if (options.connections < client.size() || options.connections < server.size())
        return fail("--connections must be at least the number of shards at either end");
    return {};
}

}  // namespace

void add_lab_options(CLI::App& command, LabArguments& arguments) {
    LabOptions& options = arguments.options;
    bind_option(command, "-c,--connections", arguments.connections, parse_count,
                "connections to open and keep (default 100k)");
    bind_option(
        command, "--echo-connections", arguments.echo_connections, parse_count,
        "of these, those that the echo stage uses, and the scatter stage in turns with all (default 1k)");
    bind_option(command, "--payload", options.payload, parse_bytes, "bytes of a message (default 32B)");
    bind_option(command, "--in-flight", options.in_flight, parse_count,
                "echo: messages that each connection has under way at one time (default 1)");
    bind_option(
        command, "-d,--duration", options.duration, parse_duration,
        "how long the stages echo, scatter, latency and churn measure, and each turn of fanout (default 5s)");
    bind_option(command, "-r,--rate", arguments.rate, parse_count,
                "latency: messages a second, answered or not (default: ping-pong)");
    command
        .add_option_function<std::string>(
            "--schedule",
            [&options](const std::string& text) {
                options.arrivals = text == "poisson" ? Arrivals::kPoisson : Arrivals::kConstant;
            },
            "of --rate: constant intervals, or a poisson process (default constant)")
        ->check(CLI::IsMember({"constant", "poisson"}));
    bind_option(command, "--ping-interval", options.ping_interval, parse_duration,
                "the server pings connections that were silent so long (default: never)");
    bind_option(command, "--hold-for", options.hold_for, parse_duration,
                "how long the hold stage goes on when all have answered (default 0)");
    command
        .add_option(
            "--stages", arguments.stages,
            "which to report: connect,hold,echo,scatter,latency,churn,fanout,close (default all but fanout)")
        ->delimiter(',');
    bind_option(
        command, "--cores", arguments.cores, parse_cores,
        "CPUs to use, the first half for the server (default: the first two; with one, both ends share it)");
    bind_option(command, "--cores-server", options.server_cores, parse_cores,
                "the server's CPUs, one shard each; those of one CPU take turns, as in 0,1,0,1");
    bind_option(command, "--cores-client", options.client_cores, parse_cores, "the client's CPUs, likewise");
    bind_option(command, "--seed", options.seed, parse_count,
                "what payloads and the order of the hold stage follow from (default 1)");
    command
        .add_option_function<std::string>(
            "--checksum", [&options](const std::string& text) { options.checksums = text == "on"; },
            "compute and check IPv4 and TCP checksums at both ends (default on)")
        ->check(CLI::IsMember({"on", "off"}));
    command.add_flag("--ipv6", options.ipv6, "over IPv6 instead of IPv4");
    command
        .add_option_function<std::string>(
            "--tcp",
            [&options](const std::string& preset) {
                options.tcp = preset == "latency" ? tcp::Preset::kLatency : tcp::Preset::kThroughput;
            },
            "acknowledge at once (latency) or seldom (throughput), at both ends (default latency)")
        ->check(CLI::IsMember({"latency", "throughput"}));
    bind_option(command, "--subscribers", options.fanout_subscribers, parse_count,
                "fanout: subscribers, besides the connections (default 10k)");
    bind_option(command, "--topics", options.fanout_topics, parse_count,
                "fanout: topics, the first ones the most often picked (default 1)");
    bind_option(command, "--topics-each", options.fanout_each, parse_count,
                "fanout: topics of each subscriber (default 1)");
    bind_option(command, "--fanout-payload", options.fanout_payload, parse_bytes,
                "fanout: bytes of a message (default 128B)");
    bind_option(command, "--burst", options.fanout_burst, parse_count,
                "fanout: messages at once, in the turn where they share segments (default 16)");
    bind_option(command, "--stalled", options.fanout_stalled, parse_count,
                "fanout: subscribers that stop reading, in one more turn at 50 % (default 0)");
    command.add_option("--publish-rate", options.fanout_rate,
                       "fanout: one turn only, of so many messages a second (default: as fast as can be)");
    command.add_option(
        "--eal", options.eal,
        "arguments for DPDK's EAL instead of the embedded default, which needs no root and no hugepages");
    command.add_option("--json", options.json, "write the result file here; - is standard output");
}

Expected<LabOptions> resolve(const LabArguments& arguments, const std::vector<unsigned>& cpus) {
    constexpr std::uint64_t kMostPayload = 16u << 20;
    constexpr std::uint64_t kMostInFlight = 1u << 16;
    LabOptions options = arguments.options;
    if (auto chosen = choose_stages(arguments.stages, options); !chosen)
        return tl::unexpected(chosen.error());
    if (auto chosen = choose_connections(arguments, options); !chosen) return tl::unexpected(chosen.error());
    if (auto chosen = choose_cores(arguments, cpus, options); !chosen) return tl::unexpected(chosen.error());
    if (options.payload > kMostPayload)
        return fail("--payload can be at most 16MiB, the endpoints' limit of a message");
    if (options.in_flight == 0 || options.in_flight > kMostInFlight)
        return fail("--in-flight must be between 1 and 65,536");
    if (arguments.rate) options.rate = static_cast<double>(*arguments.rate);
    if (arguments.rate && (options.rate < 1 || options.rate > 1e9))
        return fail("--rate must be between 1 and 1g a second");
    if (options.fanout_payload < 8 || options.fanout_payload > 64 * 1024)
        return fail("--fanout-payload must be between 8B and 64KiB");
    if (options.fanout_each == 0 || options.fanout_each > options.fanout_topics ||
        options.fanout_topics > 10'000 || options.fanout_each > 1'000)
        return fail("--topics-each must be between 1 and --topics, and at most 1,000 of at most 10,000");
    if (options.fanout_subscribers == 0 || options.fanout_subscribers > 16'000'000)
        return fail("--subscribers must be between 1 and 16 million");
    if (options.fanout_stalled >= options.fanout_subscribers)
        return fail("--stalled must be less than --subscribers");
    if (options.fanout_burst == 0 || options.fanout_burst > 256)
        return fail("--burst must be between 1 and 256");
    if (options.duration < 10ms)
        return fail("--duration must be at least 10ms, or there is nothing to measure");
    return options;
}

}  // namespace millrace::bench
