#pragma once
// The way from a URL to an open WebSocket: names resolved, addresses tried in turn, redirects followed, a
// proxy asked. A state machine without I/O: its owner resolves and connects, and says what came of it.
//
//     start() -> kResolve -> resolved() -> kConnect -> [failed() -> kConnect | kResolve | kGiveUp]

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "engine/client/proxy.h"
#include "engine/client/redirect.h"
#include "engine/client/resolver.h"
#include "engine/client/url.h"
#include "engine/endpoint/client_target.h"
#include "netstack/base/address.h"
#include "netstack/base/error.h"

namespace millrace::client {

struct DialOptions {
    std::string origin;
    std::vector<std::string> subprotocols;
    ws::DeflatePolicy deflate;
    // Sent besides. Authorization and Cookie go to the URL's own origin only, not to where redirects lead.
    std::vector<std::pair<std::string, std::string>> fields;
    RedirectPolicy redirects;
    std::optional<Proxy> proxy;  // for every URL
    Environment environment;     // else asked for one, where it is set
};

// Whether a field of that name and value may be added to the opening handshake.
Expected<void> check_field(std::string_view name, std::string_view value);

class Dialer {
  public:
    enum class Step : std::uint8_t {
        kResolve,  // host() and port()
        kConnect,  // to address(), with target(), which is new where new_target() says so
        kGiveUp,   // why()
    };

    // Options that cannot be sent, and a proxy in the environment that is none, are errors.
    static Expected<Dialer> create(Url url, DialOptions options);

    Step start();
    Step resolved(Expected<Addresses> addresses);
    // The opening did not succeed.
    Step failed(const OpeningFailure& failure);

    const std::string& host() const { return proxy_ ? proxy_->host : url_.host; }
    std::uint16_t port() const { return proxy_ ? proxy_->port : url_.port; }
    net::SocketAddress address() const { return addresses_[tried_]; }
    const ClientTarget& target() const { return target_; }
    bool new_target() const { return tried_ == 0; }
    // Where it is trying to get, or has got.
    const Url& url() const { return url_; }
    const std::string& why() const { return why_; }

  private:
    Dialer(Url url, DialOptions options) : url_(std::move(url)), options_(std::move(options)) {
        origin_ = url_;
    }

    Expected<void> aim();  // proxy_ and target_ from url_
    Step redirected(const http::Response& response);
    Step give_up(std::string why);

    Url url_;
    Url origin_;  // the first URL: whom credentials are for
    DialOptions options_;
    std::optional<Proxy> proxy_;
    ClientTarget target_;
    Addresses addresses_;
    std::size_t tried_ = 0;
    std::vector<std::string> visited_;  // URLs that have redirected us
    std::string why_;
};

}  // namespace millrace::client
