#pragma once
// What serving has in common over both carriers: start the shards, say that we are ready, wait for the end.

#include <atomic>
#include <future>
#include <string_view>
#include <vector>

#include "engine/endpoint/shard.h"
#include "engine/run/serve_options.h"
#include "engine/run/signals.h"
#include "engine/tls/tls_carrier.h"

namespace millrace {

// A shard's life as the main thread sees it. `ready` is fulfilled once, when it listens or could not.
struct ShardStatus {
    std::promise<Expected<void>> ready;
    std::atomic<bool> ended{false};
    tls::ServerContextBox contexts;  // certificates that were read again
    RefusalLog refusals;
};

// One line for each address on standard error: "millrace: listening on ws://…".
void announce(const std::vector<ListenAddress>& listen);

// Waits for the shards to be ready (then `options` forget the first secret of their tickets), then for the
// first signal, which drains them, and for the second or for `drain_timeout`, which stops them. Returns when
// every shard has ended or was told to; the first shard's set-up error, if any, when all have ended.
Expected<void> supervise(ServeOptions& options, ShardControl& control, std::vector<ShardStatus>& shards);

// One line on standard error about what a shard has done.
void report_shard(unsigned shard, unsigned core, const EndpointCounters& counters);

// One sentence on standard error; the exit status for it.
int say_error(const Error& error);

// Whether there is the memory of options.max_connections idle connections on each shard, of `bytes` each,
// where it was counted on.
Expected<void> check_memory(const ServeOptions& options, std::size_t bytes, std::uint64_t available);

// What an idle connection takes over carrier C; over wss (`secure`) with what OpenSSL holds for it, measured.
template <class C, class... Handlers>
constexpr std::size_t idle_bytes(bool secure) {
    constexpr std::size_t kOpenSsl = 13'500;
    return secure ? Endpoint<tls::TlsCarrier<C>, Handlers...>::idle_bytes() + kOpenSsl
                  : Endpoint<C, Handlers...>::idle_bytes();
}

// The files of options.www, if any, before the pages that are there.
Expected<void> add_www(const ServeOptions& options, std::vector<Page>& pages);

// What the user could set better, seen while serving: one line on standard error.
void advise(std::string_view hint);

// The carrier that the shard's secure listeners need, on the one that there is.
template <class C>
Expected<std::unique_ptr<tls::TlsCarrier<C>>> secure(C& carrier, const ServeOptions& options,
                                                     tls::ServerContextBox& renewed) {
    auto context = tls::ServerContext::create(options.tls, options.tickets);
    if (!context) return tl::unexpected(context.error());
    auto made = tls::TlsCarrier<C>::create(carrier, {.handshake_timeout = options.endpoint.handshake_timeout,
                                                     .proxy_protocol = options.endpoint.proxy_protocol});
    if (!made) return made;
    (*made)->set_server_context(std::move(*context));
    (*made)->take_contexts_from(renewed);
    return made;
}

template <class C>
Expected<void> listen_on(C& carrier, const ListenAddress& address) {
    if constexpr (requires { carrier.listen_secure(address); })
        if (address.secure) return carrier.listen_secure(address);
    return carrier.listen(address);
}

template <class Clock, class C, class... Handlers>
void serve_shard_on(unsigned shard, const Clock& clock, C& carrier, const ServeOptions& options,
                    const App<Handlers...>& app, const ShardControl& control, ShardStatus& status) {
    EndpointConfig config = options.endpoint;
    config.shard = shard;
    config.notice = advise;
    auto endpoint = Endpoint<C, Handlers...>::create(carrier, config, app);
    if (!endpoint) return status.ready.set_value(tl::unexpected(endpoint.error()));
    if (options.take_memory) (*endpoint)->populate(options.max_connections);
    for (const ListenAddress& address : options.listen)
        if (auto listening = listen_on(carrier, address); !listening)
            return status.ready.set_value(tl::unexpected(listening.error()));
    (*endpoint)->log_refusals(status.refusals);
    status.ready.set_value({});
    run_shard(clock, carrier, **endpoint, control);
    report_shard(shard, options.cores[shard], (*endpoint)->counters());
}

// Shard `shard` from its carrier to its end, on its own thread. Servers without TLS do not pass through it.
template <class Clock, class C, class... Handlers>
void serve_shard(unsigned shard, const Clock& clock, C& carrier, const ServeOptions& options,
                 const App<Handlers...>& app, const ShardControl& control, ShardStatus& status) {
    if (!options.secure()) return serve_shard_on(shard, clock, carrier, options, app, control, status);
    auto secured = secure(carrier, options, status.contexts);
    if (!secured) return status.ready.set_value(tl::unexpected(secured.error()));
    serve_shard_on(shard, clock, **secured, options, app, control, status);
}

}  // namespace millrace
