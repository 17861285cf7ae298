#include "engine/run/serve_options.h"

#include <algorithm>
#include <fstream>

#include "engine/options/units.h"
#include "engine/run/ground_words.h"

namespace millrace {
namespace {

// Options as they are written; turned into values once all of them are known.
struct Written {
    GroundWords ground;
    std::vector<std::string> listen;
    std::vector<std::string> certificates;
    std::vector<std::string> keys;
    std::string max_connections = "65536";
    std::string idle_timeout = "0";
    std::string drain_timeout = "10s";
    std::string send_limit = "1MiB";
    std::string slow_reader = "pause";
    std::vector<std::string> tokens;
    std::string token_file;
    std::string proxy_protocol = "off";
    std::vector<std::string> trust_forwarded;
    std::string forwarded_header = "x-forwarded-for";
    std::string deflate = "off";
    std::string deflate_memory = "256MiB";
    std::vector<std::string> publish_tokens;
    std::string log = "64MiB";
    std::string slow_messages = "100k", slow_bytes = "16MiB";
};

// "ws://ADDR:PORT", "wss://ADDR:PORT"
Expected<ListenAddress> parse_listen(std::string_view text) {
    constexpr std::string_view kPlain = "ws://", kSecure = "wss://";
    const bool secure = text.starts_with(kSecure);
    if (!secure && !text.starts_with(kPlain))
        return fail(fmt::format(
            "'{}' is not an address to listen on: write it as ws://127.0.0.1:9001, or wss:// for TLS", text));
    text.remove_prefix((secure ? kSecure : kPlain).size());
    if (text.ends_with('/')) text.remove_suffix(1);
    const auto address = net::parse_socket_address(text);
    if (!address) return tl::unexpected(address.error());
    return ListenAddress{*address, secure};
}

// --tls-cert and --tls-key go together, each pair in its order.
Expected<void> check_tls(const Written& written, ServeOptions& options) {
    if (written.certificates.size() != written.keys.size())
        return fail(
            fmt::format("--tls-cert is given {} times and --tls-key {} times: each certificate needs its key",
                        written.certificates.size(), written.keys.size()));
    for (std::size_t i = 0; i < written.keys.size(); ++i)
        options.tls.certificates.push_back({written.certificates[i], written.keys[i]});
    const bool given = !written.keys.empty() || !options.tls.client_ca.empty();
    if (given && !options.secure())
        return fail(
            "--tls-cert, --tls-key and --tls-client-ca belong to wss: listen on a wss:// address, or leave "
            "them out");
    if (options.secure() && written.keys.empty())
        return fail("a wss:// address needs a certificate: add --tls-cert FILE and --tls-key FILE");
    return {};
}

Expected<void> check_listen(ServeOptions& options, bool listen_given) {
    if (options.net != Net::kDpdk) return {};
    if (!listen_given) options.listen = {ListenAddress{{options.ips.front().address, 9001}}};
    for (const auto& address : options.listen) {
        const bool ours = address.ip.is_unspecified() ||
                          std::any_of(options.ips.begin(), options.ips.end(),
                                      [&](const auto& ip) { return ip.address == address.ip; });
        if (!ours)
            return fail(
                fmt::format("--listen {} is not one of the --ip addresses: use one of them, "
                            "0.0.0.0 or [::]",
                            to_url(address)));
    }
    return {};
}

// A network, or one address.
Expected<net::Cidr> parse_network(std::string_view text) {
    if (text.find('/') != text.npos) return net::parse_cidr(text);
    const auto ip = net::parse_ip(text);
    if (!ip) return fail(fmt::format("--trust-forwarded: {}", ip.error().message));
    return net::Cidr{*ip, static_cast<std::uint8_t>(ip->is_v4() ? 32 : 128)};
}

Expected<void> add_tokens(const Written& written, AccessTokens& tokens) {
    for (const std::string& token : written.tokens) {
        if (token.empty()) return fail("--token is empty: give one, or leave the option out");
        tokens.add(token);
    }
    if (written.token_file.empty()) return {};
    std::ifstream file(written.token_file);
    for (std::string line; std::getline(file, line);) {
        if (line.ends_with('\r')) line.pop_back();
        if (!line.empty()) tokens.add(line);
    }
    if (!file.eof() || tokens.empty())
        return fail(fmt::format("--token-file: {} cannot be read, or has no token in it: write one a line",
                                written.token_file));
    return {};
}

Expected<ServeOptions> values_of(const Written& written, ServeOptions options) {
    EndpointConfig& endpoint = options.endpoint;
    endpoint.upgrade.deflate.enabled = written.deflate != "off";
    endpoint.upgrade.deflate.takeover = written.deflate == "takeover";
    const std::vector<std::string> default_listen{"ws://127.0.0.1:9001"};
    Expected<void> result;
    const bool good =
        (result = written.ground.values_of(options)) &&
        (result = parse_all(written.listen.empty() ? default_listen : written.listen, parse_listen,
                            options.listen)) &&
        (result =
             parse_one("--max-connections", written.max_connections, parse_count, options.max_connections)) &&
        (result = parse_one("--idle-timeout", written.idle_timeout, parse_duration, endpoint.idle_timeout)) &&
        (result =
             parse_one("--drain-timeout", written.drain_timeout, parse_duration, options.drain_timeout)) &&
        (result = parse_one("--send-limit", written.send_limit, parse_bytes, endpoint.send_limit)) &&
        (result =
             parse_one("--deflate-memory", written.deflate_memory, parse_bytes, endpoint.deflate_memory)) &&
        (result = parse_all(written.trust_forwarded, parse_network, endpoint.forwarded.trusted)) &&
        (result = parse_one("--log", written.log, parse_bytes, options.log_bytes)) &&
        (result = parse_one("--slow-messages", written.slow_messages, parse_count, options.slow_messages)) &&
        (result = parse_one("--slow-bytes", written.slow_bytes, parse_bytes, options.slow_bytes)) &&
        (result = add_tokens(written, endpoint.tokens));
    if (!good) return tl::unexpected(result.error());
    endpoint.proxy_protocol = written.proxy_protocol == "on";
    endpoint.forwarded.rfc7239 = written.forwarded_header == "forwarded";
    endpoint.close_slow_readers = written.slow_reader == "close";
    if (endpoint.send_limit < (4u << 10) || endpoint.send_limit > (1u << 30))
        return fail("--send-limit must be from 4KiB to 1GiB");
    if (options.log_bytes < (64u << 10) || options.log_bytes > (std::uint64_t{16} << 30))
        return fail("--log must be from 64KiB to 16GiB");
    if (options.slow_messages == 0 || options.slow_bytes == 0)
        return fail("--slow-messages and --slow-bytes must be at least 1");
    for (const std::string& token : written.publish_tokens) {
        if (token.empty()) return fail("--publish-token is empty: give one, or leave the option out");
        options.publish_tokens.add(token);
    }
    if (options.max_connections == 0 || options.max_connections > (1u << 30))
        return fail("--max-connections must be from 1 to 1073741824");
    if (auto listen = check_listen(options, !written.listen.empty()); !listen)
        return tl::unexpected(listen.error());
    if (auto tls = check_tls(written, options); !tls) return tl::unexpected(tls.error());
    return options;
}

}  // namespace

std::string to_url(const ListenAddress& address) {
    return (address.secure ? "wss://" : "ws://") + net::to_string(address);
}

bool ServeOptions::secure() const {
    return std::any_of(listen.begin(), listen.end(), [](const ListenAddress& a) { return a.secure; });
}

bool ServeOptions::only_loopback() const {
    constexpr net::IpAddress kSix = net::IpAddress{0, 1};
    return std::all_of(listen.begin(), listen.end(), [=](const ListenAddress& a) {
        return a.ip == kSix || (a.ip.is_v4() && a.ip.v4().value >> 24 == 127);
    });
}

Expected<ServeOptions> parse_serve_options(int argc, const char* const* argv) {
    Written written;
    ServeOptions options;
    CLI::App app{"A WebSocket server: /echo, /feed, /publish, / (its state), /metrics and /healthz",
                 "millrace serve"};
    app.add_option("--listen", written.listen,
                   "addresses, ws://ADDR:PORT[,wss://...], ws://[::1]:9001 for IPv6 (default "
                   "ws://127.0.0.1:9001)")
        ->delimiter(',');
    app.add_option(
        "--tls-cert", written.certificates,
        "wss: a PEM file with a certificate and its chain, repeatable: clients get the one for the "
        "name that they ask for, else the first; read again on SIGHUP");
    app.add_option("--tls-key", written.keys, "wss: the PEM file of its key, one for each --tls-cert");
    app.add_option("--tls-client-ca", options.tls.client_ca,
                   "wss: clients must show a certificate signed by one of this PEM file's");
    const CLI::Option* most = app.add_option("--max-connections", written.max_connections,
                                             "per shard; given, their memory is taken at the start")
                                  ->capture_default_str();
    app.add_option("--idle-timeout", written.idle_timeout, "close after so long without a message; 0: never")
        ->capture_default_str();
    app.add_option("--drain-timeout", written.drain_timeout,
                   "after SIGTERM, for peers to answer the close 1001")
        ->capture_default_str();
    app.add_option("--send-limit", written.send_limit,
                   "bytes unread by one peer; who has more is a slow reader")
        ->capture_default_str();
    app.add_option("--slow-reader", written.slow_reader,
                   "when more is to be sent to one: pause, which reads no more from it until it has read, "
                   "or close, with 1013")
        ->check(CLI::IsMember({"pause", "close"}))
        ->capture_default_str();
    app.add_option(
        "--origin", options.endpoint.upgrade.origins,
        "allowed origin, repeatable; '*' for all (default: none given, or the request's own host)");
    app.add_option(
        "--token", written.tokens,
        "asked of who opens a WebSocket: Authorization: Bearer, ?token= or a cookie token; repeatable");
    app.add_option("--token-file", written.token_file, "the same, one a line, out of sight of ps");
    app.add_option(
        "--publish-token", written.publish_tokens,
        "asked of who opens /publish, besides any --token; repeatable; without one only a server on "
        "loopback takes publications");
    app.add_option(
        "--source", options.source,
        "publications come from there, too: mold://GROUP:PORT?interface=NAME&request=ADDRESS:PORT, as "
        "millrace publish --mold has them");
    app.add_option("--log", written.log,
                   "of each shard: messages kept for subscribers that are slow or come back, and last values")
        ->capture_default_str();
    app.add_option("--slow-messages", written.slow_messages,
                   "that a subscription may be behind before it skips the oldest, conflates or is closed")
        ->capture_default_str();
    app.add_option("--slow-bytes", written.slow_bytes, "the same in bytes of payload; whichever comes first")
        ->capture_default_str();
    app.add_option(
           "--proxy-protocol", written.proxy_protocol,
           "connections begin with a header of the PROXY protocol, v1 or v2: on, behind a balancer only")
        ->check(CLI::IsMember({"off", "on"}))
        ->capture_default_str();
    app.add_option("--trust-forwarded", written.trust_forwarded,
                   "proxies, ADDR or NETWORK/PREFIX, that are believed whom they speak for (default: none)")
        ->delimiter(',');
    app.add_option("--forwarded-header", written.forwarded_header,
                   "where they say it: x-forwarded-for, or forwarded (RFC 7239)")
        ->check(CLI::IsMember({"x-forwarded-for", "forwarded"}))
        ->capture_default_str();
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
    written.ground.add_to(app);
    if (auto parsed = parse_words(app, argc, argv); !parsed) return tl::unexpected(parsed.error());
    options.take_memory = most->count() > 0;
    return values_of(written, std::move(options));
}

}  // namespace millrace
