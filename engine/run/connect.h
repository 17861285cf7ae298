#pragma once
// A whole client from a handler and its options: name resolution, redirects, a shard, signals, exit status.
//
//     int main(int argc, char** argv) { return millrace::connect(argc, argv, Printer{}); }

#include <fmt/format.h>

#include <atomic>
#include <thread>
#include <utility>

#include "engine/client/dialer.h"
#include "engine/client/resolver.h"
#include "engine/endpoint/shard.h"
#include "engine/run/connect_options.h"
#include "engine/run/server.h"
#include "engine/run/server_dpdk.h"
#include "engine/run/server_uring.h"
#include "engine/run/signals.h"
#include "engine/tls/client_context.h"
#include "engine/tls/tls_carrier.h"

namespace millrace {

// What the shard and the main thread tell each other.
struct ClientStatus {
    ShardControl control;
    std::atomic<bool> ended{false};
    // Read after the end.
    Expected<void> set_up;
    bool in_order = false;  // the closing handshake ended with 1000, 1001 or no code
    std::string failure;    // why there never was a WebSocket; empty when there was one
};

namespace detail {

// The application's handler, with what dialling has to hear besides.
template <class Handler>
class Dialled : public Handler {
  public:
    using Step = client::Dialer::Step;

    Dialled(Handler handler, client::Dialer& dialer, const tls::ClientConfig& config, ClientStatus& status)
        : Handler(std::move(handler)), dialer_(&dialer), tls_(config), status_(&status) {}

    void on_open(auto& ws) {
        id_ = ws.id();
        if constexpr (requires { Handler::on_open(ws); }) Handler::on_open(ws);
    }
    void on_close(auto& ws, ws::CloseCode code, std::string_view reason) {
        id_ = net::kNoConn;
        status_->in_order = code == ws::CloseCode::kNormal || code == ws::CloseCode::kGoingAway ||
                            code == ws::CloseCode::kNoStatus;
        status_->control.drain.store(true, std::memory_order_relaxed);
        if constexpr (requires { Handler::on_close(ws, code, reason); }) Handler::on_close(ws, code, reason);
    }
    void on_failed(net::ConnId, const OpeningFailure& failure) { take(dialer_->failed(failure)); }

    // Once a poll.
    template <class EndpointType>
    void turn(EndpointType& endpoint, client::Resolver& resolver, Time now) {
        if (id_ != net::kNoConn) {
            if (endpoint.connections() == 0) return aborted();
            if constexpr (requires(WebSocket<EndpointType, Dialled> ws) { Handler::on_turn(ws, now); }) {
                WebSocket<EndpointType, Dialled> ws(endpoint, id_);
                Handler::on_turn(ws, now);
            }
            return;
        }
        if (Expected<client::Addresses> answer; resolver.poll(answer))
            take(dialer_->resolved(std::move(answer)));
        while (std::exchange(pending_, false))
            act(endpoint, resolver, now);
    }
    void take(Step step) {
        step_ = step;
        pending_ = true;
    }

  private:
    template <class EndpointType>
    void act(EndpointType& endpoint, client::Resolver& resolver, Time now) {
        switch (step_) {
            case Step::kResolve:
                resolver.ask(dialer_->host(), dialer_->port());
                return;
            case Step::kConnect:
                if (dialer_->new_target() && !add_target(endpoint)) return;
                if (endpoint.connect(dialer_->address(), target_, now) == net::kNoConn)
                    on_failed(net::kNoConn, {.why = "no way to connect to an address of that family"});
                return;
            case Step::kGiveUp:
                return give_up(dialer_->why());
        }
    }

    // False when what TLS needs is not there.
    template <class EndpointType>
    bool add_target(EndpointType& endpoint) {
        ClientTarget target = dialer_->target();
        if (dialer_->url().secure) {
            tls_.host = dialer_->url().host;
            auto context = tls::ClientContext::create(tls_);
            if (!context) {
                give_up(context.error().message);
                return false;
            }
            target.tls = std::move(*context);
        }
        target_ = endpoint.template add_target<Dialled>(std::move(target));
        return true;
    }

    // By the handler, which hears no on_close of what it has ended itself.
    void aborted() {
        id_ = net::kNoConn;
        status_->control.drain.store(true, std::memory_order_relaxed);
    }

    void give_up(std::string_view why) {
        status_->control.drain.store(true, std::memory_order_relaxed);
        status_->failure = why;
        const OpeningFailure failure{.why = status_->failure};
        if constexpr (requires { Handler::on_failed(id_, failure); }) Handler::on_failed(id_, failure);
    }

    client::Dialer* dialer_;
    tls::ClientConfig tls_;
    ClientStatus* status_;
    net::ConnId id_ = net::kNoConn;  // while it is open
    Step step_{};
    bool pending_ = false;
    std::uint8_t target_ = 0;
};

template <class Clock, class C, class Handler>
Expected<void> run_client(const Clock& clock, C& carrier, const ConnectOptions& options, Handler handler,
                          ClientStatus& status) {
    auto dialer = client::Dialer::create(options.url, options.dial);
    if (!dialer) return tl::unexpected(dialer.error());
    auto secured = tls::TlsCarrier<C>::create(carrier, {});
    if (!secured) return tl::unexpected(secured.error());
    using Wrapped = Dialled<Handler>;
    Wrapped wrapped(std::move(handler), *dialer, options.tls, status);
    auto endpoint = Endpoint<tls::TlsCarrier<C>, Wrapped>::create(**secured, options.endpoint,
                                                                  app(route("", std::move(wrapped))));
    if (!endpoint) return tl::unexpected(endpoint.error());
    client::Resolver resolver;
    Wrapped& dialled = (*endpoint)->template handler<Wrapped>();
    dialled.take(dialer->start());
    run_shard(clock, **secured, **endpoint, status.control,
              [&](Time now) { dialled.turn(**endpoint, resolver, now); });
    return {};
}

template <class Handler>
void client_over_uring(const ConnectOptions& options, Handler handler, ClientStatus& status) {
    // Short enough for a person who types, and for what comes from other threads.
    constexpr Duration kIdleWait = 5ms;
    const TscClock clock;
    pin_to_cpu(options.cores.front());
    auto carrier = net::UringCarrier::create(uring_config(options));
    if (carrier) {
        (*carrier)->set_idle_wait(kIdleWait);
        status.set_up = run_client(clock, **carrier, options, std::move(handler), status);
    } else {
        status.set_up = tl::unexpected(carrier.error());
    }
    status.ended.store(true);
}

// Until the shard has ended, or a second signal says that it must not be waited for.
void supervise_client(ClientStatus& status);

template <class Handler>
Expected<void> connect_uring(const ConnectOptions& options, Handler handler, ClientStatus& status) {
    if (auto checked = net::check_cpus(options.cores); !checked) return checked;
    std::thread shard([&] { client_over_uring(options, std::move(handler), status); });
    supervise_client(status);
    shard.join();
    return status.set_up;
}

template <class Handler>
Expected<void> connect_dpdk(const ConnectOptions& options, Handler handler, ClientStatus& status) {
    auto ground = DpdkGround::lay(options);
    if (!ground) return tl::unexpected(ground.error());
    const TscClock clock;
    (*ground)->eal.launch(0, [&] {
        net::DpdkCarrier& carrier = *(*ground)->carriers[0];
        carrier.claim_addresses(clock);
        status.set_up = run_client(clock, carrier, options, std::move(handler), status);
        status.ended.store(true);
    });
    supervise_client(status);
    (*ground)->eal.join(0);
    return status.set_up;
}

}  // namespace detail

// Opens a WebSocket to options.url and runs until it is over: 0 when it was closed in order, 1 when it was
// not or was never opened, which is said on standard error, 2 with one sentence on standard error for set-up
// errors. SIGINT and SIGTERM close it with 1001. `handler` is one of endpoint/routes.h and may have besides
//
//     void on_turn(auto& ws, Time now);      // once a poll while it is open
//
// It is called on the shard's thread, and nothing else is.
template <class Handler>
int connect(const ConnectOptions& options, Handler handler) {
    block_end_signals();
    ClientStatus status;
    const Expected<void> ran = options.net == Net::kDpdk
                                   ? detail::connect_dpdk(options, std::move(handler), status)
                                   : detail::connect_uring(options, std::move(handler), status);
    if (!ran) return say_error(ran.error());
    if (!status.failure.empty()) advise(status.failure);
    return status.in_order ? 0 : 1;
}

template <class Handler>
int connect(int argc, const char* const* argv, Handler handler) {
    auto options = parse_connect_options(argc, argv);
    return options ? connect(*options, std::move(handler)) : say_error(options.error());
}

}  // namespace millrace
