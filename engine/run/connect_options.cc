#include "engine/run/connect_options.h"

#include <cstdlib>

#include "engine/http/chars.h"
#include "engine/options/units.h"
#include "engine/run/ground_words.h"

namespace millrace {
namespace {

struct Written {
    GroundWords ground;
    std::string url;
    std::vector<std::string> headers;
    std::string proxy;
    bool proxy_from_environment = false;
    std::string deflate = "off";
    std::string redirects = "5";
    std::string count = "0";
    std::string wait = "1s";
};

// "Name: value"
Expected<std::pair<std::string, std::string>> parse_header(std::string_view text) {
    const std::size_t colon = text.find(':');
    if (colon == text.npos) return fail(fmt::format("'{}' is not a header: write it as 'Name: value'", text));
    return std::pair(std::string(text.substr(0, colon)), std::string(http::trim(text.substr(colon + 1))));
}

Expected<ConnectOptions> values_of(const Written& written, ConnectOptions options) {
    options.max_connections = 64;  // each attempt has a slot of its own until the next poll
    options.dial.deflate.enabled = written.deflate != "off";
    options.dial.deflate.takeover = written.deflate == "takeover";
    Expected<void> result;
    const bool good = (result = written.ground.values_of(options)) &&
                      (result = parse_all(written.headers, parse_header, options.dial.fields)) &&
                      (result = parse_one("--max-redirects", written.redirects, parse_count,
                                          options.dial.redirects.most)) &&
                      (result = parse_one("--count", written.count, parse_count, options.count)) &&
                      (result = parse_one("--wait", written.wait, parse_duration, options.wait));
    if (!good) return tl::unexpected(result.error());
    if (options.dial.redirects.most > 20) return fail("--max-redirects can be 20 at most");
    if (options.cores.size() != 1) return fail("a client has one core: write --cores as 0");
    auto url = client::parse_url(written.url);
    if (!url) return tl::unexpected(url.error());
    options.url = std::move(*url);
    if (written.proxy_from_environment)
        options.dial.environment = [](const char* name) -> const char* { return std::getenv(name); };
    if (written.proxy.empty()) return options;
    auto proxy = client::parse_proxy(written.proxy);
    if (!proxy) return tl::unexpected(proxy.error());
    options.dial.proxy = std::move(*proxy);
    return options;
}

}  // namespace

Expected<ConnectOptions> parse_connect_options(int argc, const char* const* argv) {
    Written written;
    ConnectOptions options;
    CLI::App app{
        "A WebSocket client: lines of standard input are sent, messages are written to standard output",
        "millrace connect"};
    app.add_option("url", written.url, "ws://[user:password@]host[:port][/path]")->required();
    app.add_flag("--insecure", options.tls.insecure, "wss: believe any certificate");
    app.add_option("--ca", options.tls.ca,
                   "wss: certificates to be trusted instead of the system's, a PEM file");
    app.add_option("-H,--header", written.headers, "'Name: value', sent besides, repeatable");
    app.add_option("--subprotocol", options.dial.subprotocols, "offered, repeatable, the best first");
    app.add_option("--origin", options.dial.origin, "the page that this speaks for");
    app.add_option("--deflate", written.deflate, "permessage-deflate, offered: off, on, or takeover")
        ->check(CLI::IsMember({"off", "on", "takeover"}))
        ->capture_default_str();
    app.add_option("--proxy", written.proxy, "an HTTP proxy, http://[user:password@]host[:port]");
    app.add_flag("--proxy-from-environment", written.proxy_from_environment,
                 "the one that http_proxy, https_proxy, all_proxy and no_proxy name");
    app.add_option("--max-redirects", written.redirects, "followed in a row; 0: none")->capture_default_str();
    app.add_flag("--redirect-to-plain", options.dial.redirects.to_plain, "follow redirects from wss to ws");
    app.add_flag("--binary", options.binary,
                 "send what comes as binary messages, and write messages as they are");
    app.add_option("--count", written.count, "close after so many messages; 0: after the input's end")
        ->capture_default_str();
    app.add_option("--wait", written.wait, "after the input's end, for so long a silence")
        ->capture_default_str();
    app.add_flag("-v,--verbose", options.verbose, "say what happens, pings and pongs among it");
    written.ground.add_to(app);
    if (auto parsed = parse_words(app, argc, argv); !parsed) return tl::unexpected(parsed.error());
    return values_of(written, std::move(options));
}

}  // namespace millrace
