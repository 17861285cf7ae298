// A client on the userspace stack for the interop suite: connects to a WebSocket echo server on the kernel's
// TCP, sends messages of known content, some in flight at a time, verifies every echo, and closes.
//
//     stack-client --eal "ARGS" --ip CIDR --messages N --bytes B [--ca FILE] [--insecure]
//     ws[s]://ADDR:PORT/PATH
//
// Exit status: 0 all verified, 1 the connection or an echo was not as it should be, 2 wrong options or
// set-up.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>

#include "engine/endpoint/shard.h"
#include "engine/run/server_dpdk.h"
#include "engine/tls/tls_carrier.h"

namespace {

using namespace millrace;

struct Options {
    std::string eal;
    net::Cidr ip;
    std::uint64_t messages = 1000;
    std::size_t bytes = 32;
    net::SocketAddress server;
    std::string path;
    bool secure = false;
    tls::ClientConfig tls;
};

// What the one connection has come to; its end drains the shard.
struct Outcome {
    ShardControl control;
    std::string failure = "the connection ended before all echoes had come";
    void over(std::string_view why) {
        failure = why;
        control.drain.store(true);
    }
};

class Caller {
  public:
    Caller(const Options& options, Outcome& outcome) : options_(&options), outcome_(&outcome) {}

    void on_open(auto& ws) { send(ws); }
    void on_drain(auto& ws) { send(ws); }

    void on_message(auto& ws, const Message& message) {
        if (message.text(scratch_) != content(received_) || message.opcode() != opcode(received_)) {
            outcome_->over(fmt::format("echo {} is not what was sent", received_));
            return ws.abort();
        }
        if (++received_ == options_->messages) return ws.close();
        send(ws);
    }

    void on_close(auto&, ws::CloseCode code, std::string_view reason) {
        if (received_ == options_->messages && code == ws::CloseCode::kNormal)
            outcome_->over("");
        else
            outcome_->over(fmt::format("closed with {} {} after {} of {} echoes", static_cast<int>(code),
                                       reason, received_, options_->messages));
    }

    void on_failed(net::ConnId, std::string_view why) { outcome_->over(why); }

  private:
    static constexpr std::uint64_t kInFlight = 16;

    void send(auto& ws) {
        for (; sent_ < options_->messages && sent_ - received_ < kInFlight; ++sent_) {
            const std::string text = content(sent_);
            const SendStatus status = opcode(sent_) == ws::Opcode::kText
                                          ? ws.send_text(text)
                                          : ws.send_binary(std::as_bytes(std::span(text)));
            if (status != SendStatus::kSent) return;  // on_drain goes on
        }
    }

    static ws::Opcode opcode(std::uint64_t number) {
        return number % 2 ? ws::Opcode::kBinary : ws::Opcode::kText;
    }

    // No two messages are alike, nor two places in one of them nearby.
    std::string content(std::uint64_t number) const {
        std::string text(options_->bytes, ' ');
        for (std::size_t i = 0; i < text.size(); ++i)
            text[i] = static_cast<char>(' ' + (number * 31 + i * 7 + i / 95) % 95);
        return text;
    }

    const Options* options_;
    Outcome* outcome_;
    std::vector<std::byte> scratch_;
    std::uint64_t sent_ = 0;
    std::uint64_t received_ = 0;
};

Expected<void> parse_url(std::string_view url, Options& out) {
    constexpr std::string_view kPlain = "ws://", kSecure = "wss://";
    out.secure = url.starts_with(kSecure);
    if (!out.secure && !url.starts_with(kPlain))
        return fail(fmt::format("'{}' does not begin with ws:// or wss://", url));
    url.remove_prefix((out.secure ? kSecure : kPlain).size());
    const std::size_t slash = std::min(url.find('/'), url.size());
    auto server = net::parse_socket_address(url.substr(0, slash));
    if (!server) return tl::unexpected(server.error());
    out.server = *server;
    out.tls.host = net::to_string(server->ip);
    out.path = slash == url.size() ? "/" : std::string(url.substr(slash));
    return {};
}

Expected<Options> parse(int argc, char** argv) {
    Options options;
    std::string ip, url;
    CLI::App app{"A WebSocket client on the userspace stack", "stack-client"};
    app.add_option("--eal", options.eal)->required();
    app.add_option("--ip", ip)->required();
    app.add_option("--messages", options.messages);
    app.add_option("--bytes", options.bytes);
    app.add_option("--ca", options.tls.ca);
    app.add_flag("--insecure", options.tls.insecure);
    app.add_option("url", url)->required();
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return fail(error.what());
    }
    auto cidr = net::parse_cidr(ip);
    if (!cidr) return tl::unexpected(cidr.error());
    options.ip = *cidr;
    if (auto parsed = parse_url(url, options); !parsed) return tl::unexpected(parsed.error());
    return options;
}

// Everything on the shard's own thread, from the connection to its end.
template <class C>
Expected<void> call(net::Eal& eal, C& carrier, const Options& options, Outcome& outcome) {
    auto endpoint = Endpoint<C, Caller>::create(carrier, {}, app(route("", Caller(options, outcome))));
    if (!endpoint) return tl::unexpected(endpoint.error());
    ClientTarget target{.host = net::to_string(options.server), .path = options.path};
    if (options.secure) {
        auto tls = tls::ClientContext::create(options.tls);
        if (!tls) return tl::unexpected(tls.error());
        target.tls = std::move(*tls);
    }
    const std::uint8_t number = (*endpoint)->template add_target<Caller>(std::move(target));
    const TscClock clock;
    eal.launch(0, [&] {
        if ((*endpoint)->connect(options.server, number, clock.now()) == net::kNoConn)
            outcome.over("the carrier has no connection left");
        run_shard(clock, carrier, **endpoint, outcome.control);
    });
    eal.join(0);
    return {};
}

Expected<void> run(const Options& options, Outcome& outcome) {
    ServeOptions ground_options;
    ground_options.net = Net::kDpdk;
    ground_options.eal = options.eal;
    ground_options.ips = {options.ip};
    auto ground = DpdkGround::lay(ground_options);
    if (!ground) return tl::unexpected(ground.error());
    net::DpdkCarrier& carrier = *(*ground)->carriers[0];
    if (!options.secure) return call((*ground)->eal, carrier, options, outcome);
    auto secured = tls::TlsCarrier<net::DpdkCarrier>::create(carrier, {});
    if (!secured) return tl::unexpected(secured.error());
    return call((*ground)->eal, **secured, options, outcome);
}

int complain(std::string_view what, int status) {
    std::fprintf(stderr, "stack-client: %.*s\n", static_cast<int>(what.size()), what.data());
    return status;
}

}  // namespace

int main(int argc, char** argv) {
    const auto options = parse(argc, argv);
    if (!options) return complain(options.error().message, 2);
    Outcome outcome;
    if (const auto ran = run(*options, outcome); !ran) return complain(ran.error().message, 2);
    return outcome.failure.empty() ? 0 : complain(outcome.failure, 1);
}
