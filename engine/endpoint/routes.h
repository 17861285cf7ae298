#pragma once
// What an application is made of: handlers for WebSockets by path, and pages for ordinary HTTP on the same
// port. A handler is any copyable class with some of
//
//     struct State { ... };  // per connection; trivial, begins as zero bytes
//     Expected<void> on_shard(auto& endpoint);  // before anything else; what a shard needs is made here
//     bool serves(std::string_view path) const;  // instead of the route's path: several, or a whole folder
//     // Server: whether the request may open a WebSocket (handshake/access.h, http/credentials.h); what it
//     // finds out it may write into `state` for the others.
//     millrace::Access authorise(const millrace::http::Request& request, State& state);
//     Access authorise(request, std::string_view subprotocol, State& state);  // or so: the one agreed on
//     void on_open(auto& ws);
//     void on_message(auto& ws, const millrace::Message& message);
//     void on_pong(auto& ws, std::span<const std::byte> payload);
//     void on_drain(auto& ws);  // after a send() said kFull: there is room again
//     void on_close(auto& ws, ws::CloseCode code, std::string_view reason);  // once; the last call
//     void on_poll(auto& endpoint, Time now);  // once a poll, when its events have been handled
//     std::size_t memory_in_use() const;       // bytes of its own
//     void on_failed(net::ConnId id, const OpeningFailure& failure);  // a client's opening did not succeed
//
// found at compile time; each shard has its own copy, and calls it from its own loop only.

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "netstack/base/time.h"

namespace millrace {

template <class Handler>
struct Route {
    std::string path;
    Handler handler;
};

template <class Handler>
Route<Handler> route(std::string path, Handler handler) {
    return {std::move(path), std::move(handler)};
}

// What GET and HEAD of `path` (as it is without its percent-encoding) are answered with: one of `body`,
// `make` and `location`.
struct Page {
    std::string path;
    std::string content_type;
    std::shared_ptr<const std::string> body;  // always the same: every shard's copy of the page shares it
    std::string etag;                         // of `body` (RFC 9110 section 8.8.3)
    // Called for each request, at that time; what it returns stays until it is called again. Every shard has
    // its own copy.
    std::function<std::string_view(Time)> make;
    std::string location;  // 308 to there
    bool guarded = false;  // one of EndpointConfig::tokens is asked for here too
};

Page page(std::string path, std::string content_type, std::string body);
Page page(std::string path, std::string content_type, std::function<std::string_view(Time)> make);
Page redirection(std::string path, std::string location);
Page guarded(Page page);

template <class... Handlers>
struct App {
    std::tuple<Route<Handlers>...> routes;
    std::vector<Page> pages;
};

namespace detail {

template <class... Handlers>
auto add_part(App<Handlers...> app, Page part) {
    app.pages.push_back(std::move(part));
    return app;
}

template <class... Handlers, class Handler>
auto add_part(App<Handlers...> app, Route<Handler> part) {
    return App<Handlers..., Handler>{std::tuple_cat(std::move(app.routes), std::make_tuple(std::move(part))),
                                     std::move(app.pages)};
}

template <class Built>
auto build(Built built) {
    return built;
}

template <class Built, class Part, class... Rest>
auto build(Built built, Part part, Rest... rest) {
    return build(add_part(std::move(built), std::move(part)), std::move(rest)...);
}

}  // namespace detail

// app(route("/echo", Echo{}), page("/healthz", "text/plain", "ok\n"), ...)
template <class... PartTypes>
auto app(PartTypes... parts) {
    return detail::build(App<>{}, std::move(parts)...);
}

}  // namespace millrace
