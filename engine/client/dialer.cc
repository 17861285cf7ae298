#include "engine/client/dialer.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/http/chars.h"

namespace millrace::client {
namespace {

// What the opening handshake says itself.
constexpr std::string_view kOwnFields[] = {"host",
                                           "upgrade",
                                           "connection",
                                           "origin",
                                           "sec-websocket-key",
                                           "sec-websocket-version",
                                           "sec-websocket-protocol",
                                           "sec-websocket-extensions",
                                           "content-length",
                                           "transfer-encoding",
                                           "proxy-authorization"};

bool is_value(std::string_view text) {
    return std::all_of(text.begin(), text.end(), http::is_value_char);
}

// The first line of what came, for a terminal: printable US-ASCII, and not much of it.
std::string first_line(std::string_view content) {
    constexpr std::size_t kMost = 200;
    std::string line;
    for (const char c : content.substr(0, content.find_first_of("\r\n")))
        if (line.size() < kMost && c >= ' ' && c < 0x7f) line += c;
    return line;
}

// "wss://a/ answered 401 Unauthorized: no such user"
std::string describe(const Url& url, const std::optional<Proxy>& proxy, const OpeningFailure& failure) {
    const std::string who =
        failure.from_proxy ? "the proxy " + write_authority(proxy->host, proxy->port) : url.text();
    if (!failure.response) return fmt::format("{}: {}", who, failure.why);
    if (failure.response->status == 101) return fmt::format("{} answered 101, but {}", who, failure.why);
    const std::string content = first_line(failure.content);
    const std::string status =
        fmt::format("{} {}", failure.response->status, first_line(failure.response->reason));
    return fmt::format("{} answered {}{}{}", who, status, content.empty() ? "" : ": ", content) +
           (failure.from_proxy ? fmt::format(" ({})", failure.why) : "");
}

}  // namespace

Expected<void> check_field(std::string_view name, std::string_view value) {
    if (!http::is_token(name))
        return fail(fmt::format("'{}' is not a header's name: write the header as 'Name: value'", name));
    if (!is_value(value))
        return fail(fmt::format("the value of header {} has a character that would end its line", name));
    const bool own = std::any_of(std::begin(kOwnFields), std::end(kOwnFields), [&](std::string_view field) {
        return http::equals_ignoring_case(field, name);
    });
    if (own)
        return fail(
            fmt::format("header {} is part of the opening handshake, which sends its own: leave it "
                        "out (--origin and --subprotocol set theirs)",
                        name));
    return {};
}

Expected<Dialer> Dialer::create(Url url, DialOptions options) {
    for (const auto& [name, value] : options.fields)
        if (auto good = check_field(name, value); !good) return tl::unexpected(good.error());
    for (const std::string& subprotocol : options.subprotocols)
        if (!http::is_token(subprotocol))
            return fail(
                fmt::format("'{}' is not the name of a subprotocol: it has to be one word without "
                            "separators (RFC 6455 section 4.1)",
                            subprotocol));
    if (!is_value(options.origin))
        return fail("the origin has a character that would end its line: write it as https://host");
    Dialer dialer(std::move(url), std::move(options));
    if (auto aimed = dialer.aim(); !aimed) return tl::unexpected(aimed.error());
    return dialer;
}

Dialer::Step Dialer::start() {
    addresses_.clear();
    tried_ = 0;
    if (const auto ip = net::parse_ip(host())) {
        addresses_ = {{*ip, port()}};
        return Step::kConnect;
    }
    return Step::kResolve;
}

Dialer::Step Dialer::resolved(Expected<Addresses> addresses) {
    if (!addresses) return give_up(addresses.error().message);
    addresses_ = std::move(*addresses);
    return Step::kConnect;
}

Dialer::Step Dialer::failed(const OpeningFailure& failure) {
    if (failure.response && !failure.from_proxy && is_redirect(failure.response->status))
        return redirected(*failure.response);
    why_ = describe(url_, proxy_, failure);
    if (failure.connected || tried_ + 1 == addresses_.size()) return Step::kGiveUp;
    ++tried_;
    return Step::kConnect;
}

Dialer::Step Dialer::redirected(const http::Response& response) {
    auto next = follow(url_, response, options_.redirects);
    if (!next) return give_up(next.error().message);
    if (visited_.size() == options_.redirects.most)
        return give_up(fmt::format("{} redirects to {}, and {} redirects are as many as are followed",
                                   url_.text(), next->text(), options_.redirects.most));
    visited_.push_back(url_.text());
    if (std::find(visited_.begin(), visited_.end(), next->text()) != visited_.end())
        return give_up(fmt::format("{} redirects to {}, which is a circle", url_.text(), next->text()));
    url_ = std::move(*next);
    if (auto aimed = aim(); !aimed) return give_up(aimed.error().message);
    return start();
}

Dialer::Step Dialer::give_up(std::string why) {
    why_ = std::move(why);
    return Step::kGiveUp;
}

Expected<void> Dialer::aim() {
    proxy_ = options_.proxy;
    if (!proxy_ && options_.environment) {
        auto found = proxy_from(options_.environment, url_);
        if (!found) return tl::unexpected(found.error());
        proxy_ = std::move(*found);
    }
    target_ = {.host = url_.host_field(),
               .path = url_.target,
               .origin = options_.origin,
               .subprotocols = options_.subprotocols,
               .deflate = options_.deflate,
               .fields = {},
               .tunnel = {}};
    const bool trusted = url_.same_origin(origin_);
    bool authorised = false;
    for (const auto& field : options_.fields) {
        if (is_credential(field.first) && !trusted) continue;
        authorised |= http::equals_ignoring_case(field.first, "authorization");
        target_.fields.push_back(field);
    }
    if (url_.user_info && !authorised) {
        auto credentials = basic_credentials(*url_.user_info);
        if (!credentials) return fail(fmt::format("{}: {}", url_.text(), credentials.error().message));
        target_.fields.emplace_back("Authorization", std::move(*credentials));
    }
    if (proxy_)
        target_.tunnel = {.authority = write_authority(url_.host, url_.port),
                          .credentials = proxy_->credentials};
    return {};
}

}  // namespace millrace::client
