#include "engine/run/ground_words.h"

#include <cstdlib>

#include "engine/options/units.h"
#include "netstack/link/ethernet.h"

namespace millrace {
namespace {

Expected<unsigned> parse_core(std::string_view text) {
    const auto number = parse_count(text);
    if (!number || *number >= 1024)
        return fail(fmt::format("'{}' is not a CPU number: write --cores as 0,1", text));
    return static_cast<unsigned>(*number);
}

Expected<std::uint16_t> parse_vlan(std::string_view text) {
    const auto number = parse_count(text);
    if (!number || *number > net::kMaxVlan)
        return fail(fmt::format("'{}' is not the number of a VLAN: give one from 1 to {}, or 0 for none",
                                text, net::kMaxVlan));
    return static_cast<std::uint16_t>(*number);
}

Expected<void> check_dpdk(const GroundOptions& options) {
    if (options.net == Net::kDpdk && options.ips.empty())
        return fail("--net dpdk needs an address of its own: add --ip ADDR/PREFIX");
    if (options.net != Net::kDpdk &&
        (!options.ips.empty() || !options.eal.empty() || !options.gateways.empty() || options.vlan != 0))
        return fail("--ip, --gateway, --vlan and --eal belong to --net dpdk: add it, or leave them out");
    return {};
}

}  // namespace

void GroundWords::add_to(CLI::App& app) {
    app.add_option("--net", net_, "how bytes reach it: kernel sockets (uring) or a NIC of its own (dpdk)")
        ->check(CLI::IsMember({"uring", "dpdk"}))
        ->capture_default_str();
    app.add_option("--cores", cores_, "a shard on each of these CPUs, 0,1")
        ->delimiter(',')
        ->capture_default_str();
    app.add_option("--max-message", max_message_, "a longer message is answered with close 1009")
        ->capture_default_str();
    app.add_option("--handshake-timeout", handshake_timeout_, "from connect to the opened WebSocket")
        ->capture_default_str();
    app.add_option(
           "--progress-timeout", progress_timeout_,
           "end who brings less than 1 KiB in it of a message begun, or takes less of what waits; 0: never")
        ->capture_default_str();
    app.add_option("--ping-interval", ping_interval_, "ping the silent, fail the unanswering; 0: never")
        ->capture_default_str();
    app.add_option("--keep-alive", keep_alive_,
                   "TCP: probe peers so long silent; gone after as long again without an answer; 0: never")
        ->capture_default_str();
    app.add_option("--user-timeout", user_timeout_,
                   "TCP: end a connection whose peer has acknowledged nothing so long; 0: some minutes")
        ->capture_default_str();
    add_dpdk_to(app);
    app.set_config("--config", "", "read options from a TOML file; every option has its key there");
}

void GroundWords::add_dpdk_to(CLI::App& app) {
    app.add_option("--ip", ips_, "dpdk: our address and network, ADDR/PREFIX, IPv4 or IPv6, repeatable");
    app.add_option("--gateway", gateways_,
                   "dpdk: the router out of our networks, one for IPv4 and IPv6 each");
    app.add_option("--eal", eal_, "dpdk: arguments for EAL, passed as they are");
    app.add_option("--vlan", vlan_, "dpdk: the VLAN that we are on (802.1Q); 0: untagged")
        ->capture_default_str();
    app.add_option("--tcp", tcp_, "dpdk: acknowledge at once (latency) or seldom (throughput)")
        ->check(CLI::IsMember({"latency", "throughput"}))
        ->capture_default_str();
    app.add_option("--device", device_, "dpdk: the port, by its name in EAL (default: the only one)");
    app.add_option("--buffers", buffers_, "dpdk: packet buffers of a shard for bytes to send; 0: 32768")
        ->capture_default_str();
}

Expected<void> GroundWords::values_of(GroundOptions& options) const {
    options.net = net_ == "dpdk" ? Net::kDpdk : Net::kUring;
    options.eal = eal_;
    options.device = device_;
    options.tcp = tcp_ == "latency" ? tcp::Preset::kLatency : tcp::Preset::kThroughput;
    EndpointConfig& endpoint = options.endpoint;
    Expected<void> result;
    const bool good =
        (result = parse_all(cores_, parse_core, options.cores)) &&
        (result = parse_all(ips_, net::parse_cidr, options.ips)) &&
        (result = parse_all(gateways_, net::parse_ip, options.gateways)) &&
        (result = parse_one("--max-message", max_message_, parse_bytes, endpoint.max_message)) &&
        (result = parse_one("--handshake-timeout", handshake_timeout_, parse_duration,
                            endpoint.handshake_timeout)) &&
        (result =
             parse_one("--progress-timeout", progress_timeout_, parse_duration, endpoint.progress_timeout)) &&
        (result = parse_one("--ping-interval", ping_interval_, parse_duration, endpoint.ping_interval)) &&
        (result = parse_one("--keep-alive", keep_alive_, parse_duration, options.keep_alive)) &&
        (result = parse_one("--user-timeout", user_timeout_, parse_duration, options.user_timeout)) &&
        (result = parse_one("--buffers", buffers_, parse_count, options.buffers)) &&
        (result = parse_one("--vlan", vlan_, parse_vlan, options.vlan));
    if (!good) return result;
    if (options.keep_alive > 2h || options.user_timeout > 2h)
        return fail("--keep-alive and --user-timeout can be 2h at most");
    if (options.buffers > (1u << 24)) return fail("--buffers can be 16777216 at most");
    if (endpoint.max_message > (1u << 30)) return fail("--max-message can be 1GiB at most");
    return check_dpdk(options);
}

Expected<void> parse_words(CLI::App& app, int argc, const char* const* argv) {
    try {
        app.parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
        fmt::print("{}", app.help());
        std::exit(0);
    } catch (const CLI::ParseError& error) {
        return fail(fmt::format("{} ({} --help lists the options)", error.what(), app.get_name()));
    }
    return {};
}

}  // namespace millrace
