#include "engine/run/serve_options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>

#include "engine/options/units.h"
#include "netstack/link/ethernet.h"

namespace millrace {
namespace {

// Options as they are written; turned into values once all of them are known.
struct Written {
    std::string net = "uring";
    std::vector<std::string> listen;
    std::vector<std::string> cores{"0"};
    std::string max_connections = "65536";
    std::string max_message = "16MiB";
    std::string handshake_timeout = "10s";
    std::string idle_timeout = "0";
    std::string ping_interval = "30s";
    std::string drain_timeout = "10s";
    std::vector<std::string> ips;
    std::vector<std::string> gateways;
    std::string deflate = "off";
    std::string deflate_memory = "256MiB";
    std::string buffers = "0";
    std::string vlan = "0";
};

// "ws://ADDR:PORT"
Expected<net::SocketAddress> parse_listen(std::string_view text) {
    constexpr std::string_view kScheme = "ws://";
    if (!text.starts_with(kScheme))
        return fail(
            fmt::format("'{}' is not an address to listen on: write it as ws://127.0.0.1:9001", text));
    text.remove_prefix(kScheme.size());
    if (text.ends_with('/')) text.remove_suffix(1);
    return net::parse_socket_address(text);
}

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

// Parses each of `texts` with `parse` into `out`.
template <class Parse, class T>
Expected<void> parse_all(const std::vector<std::string>& texts, Parse parse, std::vector<T>& out) {
    out.clear();
    for (const std::string& text : texts) {
        auto value = parse(text);
        if (!value) return tl::unexpected(value.error());
        out.push_back(*value);
    }
    return {};
}

// Parses `text` into `out`, with the option's name in front of what is wrong.
template <class Parse, class T>
Expected<void> parse_one(std::string_view option, const std::string& text, Parse parse, T& out) {
    auto value = parse(text);
    if (!value) return fail(fmt::format("{}: {}", option, value.error().message));
    out = static_cast<T>(*value);
    return {};
}

Expected<void> check_dpdk(ServeOptions& options, bool listen_given) {
    if (options.net != Net::kDpdk) {
        if (!options.ips.empty() || !options.eal.empty() || !options.gateways.empty() || options.vlan != 0)
            return fail("--ip, --gateway, --vlan and --eal belong to --net dpdk: add it, or leave them out");
        return {};
    }
    if (options.ips.empty()) return fail("--net dpdk needs an address of its own: add --ip ADDR/PREFIX");
    if (!listen_given) options.listen = {net::SocketAddress{options.ips.front().address, 9001}};
    for (const auto& address : options.listen) {
        const bool ours = address.ip.is_unspecified() ||
                          std::any_of(options.ips.begin(), options.ips.end(),
                                      [&](const auto& ip) { return ip.address == address.ip; });
        if (!ours)
            return fail(
                fmt::format("--listen ws://{} is not one of the --ip addresses: use one of them, "
                            "0.0.0.0 or [::]",
                            net::to_string(address)));
    }
    return {};
}

Expected<ServeOptions> values_of(const Written& written, ServeOptions options) {
    options.net = written.net == "dpdk" ? Net::kDpdk : Net::kUring;
    EndpointConfig& endpoint = options.endpoint;
    endpoint.upgrade.deflate.enabled = written.deflate != "off";
    endpoint.upgrade.deflate.takeover = written.deflate == "takeover";
    const std::vector<std::string> default_listen{"ws://127.0.0.1:9001"};
    Expected<void> result;
    const bool good =
        (result = parse_all(written.listen.empty() ? default_listen : written.listen, parse_listen,
                            options.listen)) &&
        (result = parse_all(written.cores, parse_core, options.cores)) &&
        (result = parse_all(written.ips, net::parse_cidr, options.ips)) &&
        (result = parse_all(written.gateways, net::parse_ip, options.gateways)) &&
        (result =
             parse_one("--max-connections", written.max_connections, parse_count, options.max_connections)) &&
        (result = parse_one("--max-message", written.max_message, parse_bytes, endpoint.max_message)) &&
        (result = parse_one("--handshake-timeout", written.handshake_timeout, parse_duration,
                            endpoint.handshake_timeout)) &&
        (result = parse_one("--idle-timeout", written.idle_timeout, parse_duration, endpoint.idle_timeout)) &&
        (result =
             parse_one("--ping-interval", written.ping_interval, parse_duration, endpoint.ping_interval)) &&
        (result =
             parse_one("--drain-timeout", written.drain_timeout, parse_duration, options.drain_timeout)) &&
        (result =
             parse_one("--deflate-memory", written.deflate_memory, parse_bytes, endpoint.deflate_memory)) &&
        (result = parse_one("--buffers", written.buffers, parse_count, options.buffers)) &&
        (result = parse_one("--vlan", written.vlan, parse_vlan, options.vlan));
    if (!good) return tl::unexpected(result.error());
    if (options.max_connections == 0 || options.max_connections > (1u << 30))
        return fail("--max-connections must be from 1 to 1073741824");
    if (options.buffers > (1u << 24)) return fail("--buffers can be 16777216 at most");
    if (endpoint.max_message > (1u << 30)) return fail("--max-message can be 1GiB at most");
    if (auto dpdk = check_dpdk(options, !written.listen.empty()); !dpdk) return tl::unexpected(dpdk.error());
    return options;
}

}  // namespace

Expected<ServeOptions> parse_serve_options(int argc, const char* const* argv) {
    Written written;
    ServeOptions options;
    CLI::App app{"A WebSocket server: /echo, / and /healthz", "millrace serve"};
    app.add_option("--net", written.net,
                   "how bytes reach it: kernel sockets (uring) or a NIC of its own (dpdk)")
        ->check(CLI::IsMember({"uring", "dpdk"}))
        ->capture_default_str();
    app.add_option("--listen", written.listen,
                   "addresses, ws://ADDR:PORT[,...], ws://[::1]:9001 for IPv6 (default ws://127.0.0.1:9001)")
        ->delimiter(',');
    app.add_option("--cores", written.cores, "a shard on each of these CPUs, 0,1")
        ->delimiter(',')
        ->capture_default_str();
    app.add_option("--max-connections", written.max_connections, "per shard")->capture_default_str();
    app.add_option("--max-message", written.max_message, "a longer message is answered with close 1009")
        ->capture_default_str();
    app.add_option("--handshake-timeout", written.handshake_timeout, "from connect to the opened WebSocket")
        ->capture_default_str();
    app.add_option("--idle-timeout", written.idle_timeout, "close after so long without a message; 0: never")
        ->capture_default_str();
    app.add_option("--ping-interval", written.ping_interval,
                   "ping the silent, fail the unanswering; 0: never")
        ->capture_default_str();
    app.add_option("--drain-timeout", written.drain_timeout,
                   "after SIGTERM, for peers to answer the close 1001")
        ->capture_default_str();
    app.add_option(
        "--origin", options.endpoint.upgrade.origins,
        "allowed origin, repeatable; '*' for all (default: none given, or the request's own host)");
    app.add_option("--subprotocol", options.endpoint.upgrade.subprotocols, "spoken here, repeatable");
    app.add_option(
           "--deflate", written.deflate,
           "permessage-deflate with clients that offer it: off, on, or takeover, which keeps up to 310 KiB "
           "for each connection and compresses small messages better")
        ->check(CLI::IsMember({"off", "on", "takeover"}))
        ->capture_default_str();
    app.add_option("--deflate-memory", written.deflate_memory,
                   "of a shard, for compression; used up, new connections get no takeover")
        ->capture_default_str();
    app.add_option("--www", options.www, "a directory whose files are served, read once at the start");
    app.add_option("--ip", written.ips,
                   "dpdk: our address and network, ADDR/PREFIX, IPv4 or IPv6, repeatable");
    app.add_option("--gateway", written.gateways,
                   "dpdk: the router out of our networks, one for IPv4 and IPv6 each");
    app.add_option("--eal", options.eal, "dpdk: arguments for EAL, passed as they are");
    app.add_option("--vlan", written.vlan, "dpdk: the VLAN that we are on (802.1Q); 0: untagged")
        ->capture_default_str();
    app.add_option_function<std::string>(
           "--tcp",
           [&options](const std::string& preset) {
               options.tcp = preset == "latency" ? tcp::Preset::kLatency : tcp::Preset::kThroughput;
           },
           "dpdk: acknowledge at once (latency) or seldom (throughput) (default latency)")
        ->check(CLI::IsMember({"latency", "throughput"}));
    app.add_option("--device", options.device, "dpdk: the port, by its name in EAL (default: the only one)");
    app.add_option("--buffers", written.buffers,
                   "dpdk: packet buffers of a shard for bytes to send; 0: 32768")
        ->capture_default_str();
    app.set_config("--config", "", "read options from a TOML file; every option has its key there");
    try {
        app.parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
        fmt::print("{}", app.help());
        std::exit(0);
    } catch (const CLI::ParseError& error) {
        return fail(fmt::format("{} (millrace serve --help lists the options)", error.what()));
    }
    return values_of(written, std::move(options));
}

}  // namespace millrace
