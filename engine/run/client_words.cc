#include "engine/run/client_words.h"

#include <cstdlib>

#include "engine/http/chars.h"
#include "engine/run/ground_words.h"

namespace millrace {
namespace {

// "Name: value"
Expected<std::pair<std::string, std::string>> parse_header(std::string_view text) {
    const std::size_t colon = text.find(':');
    if (colon == text.npos) return fail(fmt::format("'{}' is not a header: write it as 'Name: value'", text));
    return std::pair(std::string(text.substr(0, colon)), std::string(http::trim(text.substr(colon + 1))));
}

}  // namespace

void ClientWords::add_to(CLI::App& app) {
    app.add_option("url", url_, "ws://[user:password@]host[:port][/path]")->required();
    app.add_flag("--insecure", tls_.insecure, "wss: believe any certificate");
    app.add_option("--ca", tls_.ca, "wss: certificates to be trusted instead of the system's, a PEM file");
    app.add_option("-H,--header", headers_, "'Name: value', sent besides, repeatable");
    app.add_option("--subprotocol", subprotocols_, "offered, repeatable, the best first");
    app.add_option("--origin", origin_, "the page that this speaks for");
    app.add_option("--deflate", deflate_, "permessage-deflate, offered: off, on, or takeover")
        ->check(CLI::IsMember({"off", "on", "takeover"}))
        ->capture_default_str();
    app.add_option("--proxy", proxy_, "an HTTP proxy, http://[user:password@]host[:port]");
    app.add_flag("--proxy-from-environment", proxy_from_environment_,
                 "the one that http_proxy, https_proxy, all_proxy and no_proxy name");
}

Expected<void> ClientWords::values_of(client::Url& url, client::DialOptions& dial) const {
    auto parsed = client::parse_url(url_);
    if (!parsed) return tl::unexpected(parsed.error());
    url = std::move(*parsed);
    if (auto fields = parse_all(headers_, parse_header, dial.fields); !fields) return fields;
    dial.subprotocols = subprotocols_;
    dial.origin = origin_;
    dial.deflate.enabled = deflate_ != "off";
    dial.deflate.takeover = deflate_ == "takeover";
    if (proxy_from_environment_)
        dial.environment = [](const char* name) -> const char* { return std::getenv(name); };
    if (proxy_.empty()) return {};
    auto proxy = client::parse_proxy(proxy_);
    if (!proxy) return tl::unexpected(proxy.error());
    dial.proxy = std::move(*proxy);
    return {};
}

}  // namespace millrace
