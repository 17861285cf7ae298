// A TCP peer on the userspace stack, without WebSocket: the other end of kernel_peer.cc, or of another
// program.
//
//     stack-peer --eal "ARGS" --ip CIDR --listen|--connect ADDR:PORT --send N --receive N --end HOW ...
//
// Says "ready" on standard error; at the end prints one line of JSON: how its connections ended, bytes,
// seconds and every counter that is not zero. Exit status: 0 all connections did what the options say, 1 not
// so, 2 wrong options or set-up.

#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <vector>

#include "netstack/base/clock.h"
#include "netstack/eal/eal.h"
#include "netstack/port/port.h"
#include "netstack/stack/dpdk_carrier.h"
#include "tests/interop/peer/options.h"
#include "tests/interop/peer/report.h"

namespace millrace::interop {
namespace {

using net::ConnId;
using net::EventKind;

struct StackOptions {
    PeerOptions peer;
    std::string eal;
    net::Cidr ip;
    std::uint16_t mtu = 1500;
    net::StackConfig stack;
    double linger_seconds = 0.2;  // goes on answering so long after its last connection
};

class StackPeer {
  public:
    StackPeer(const StackOptions& options, net::DpdkCarrier& carrier)
        : options_(&options),
          peer_(&options.peer),
          carrier_(&carrier),
          exchanges_(carrier.max_connections()) {}

    bool run() {
        if (peer_->listens && !carrier_->listen(peer_->address)) return false;
        std::fprintf(stderr, "ready\n");
        while (report_.over() < peer_->connections && seconds() < peer_->patience_seconds)
            turn();
        const double over = seconds();
        while (seconds() - over < options_->linger_seconds)
            turn();
        return good_;
    }

    nlohmann::json report() const {
        auto json = report_.json();
        json["open"] = carrier_->connections();
        auto& counters = json["counters"] = nlohmann::json::object();
        carrier_->visit_counters([&](std::string_view name, std::uint64_t value) {
            if (value != 0) counters[std::string(name)] = value;
        });
        return json;
    }

  private:
    static constexpr std::size_t kPiece = 65536;

    struct Conn {
        std::unique_ptr<Exchange> exchange;
        bool peer_closed = false;
        bool ending = false;
        bool stalled = false;
    };

    double seconds() const { return std::chrono::duration<double>(clock_.now() - started_).count(); }

    void turn() {
        const Time now = clock_.now();
        for (auto& event : carrier_->poll(now))
            handle(event, now);
        connect(now);
        // Those that wait for their last acknowledgment are told of it by nobody.
        std::erase_if(awaited_, [&](ConnId id) { return end_if_due(id); });
        carrier_->flush(now);
    }

    void connect(Time now) {
        if (peer_->listens) return;
        while (begun_ < peer_->connections && begun_ - report_.over() < peer_->parallel) {
            const ConnId id = carrier_->connect(peer_->address, now);
            if (id == net::kNoConn) return;  // tried again in the next turn
            ++begun_;
            open(id);
        }
    }

    Conn& open(ConnId id) {
        Conn& c = conn(id);
        c = {.exchange = std::make_unique<Exchange>(peer_->script, pattern_)};
        return c;
    }

    Conn& conn(ConnId id) { return exchanges_[net::index(id)]; }

    void handle(tcp::Event& event, Time now) {
        if (event.kind == EventKind::kAccepted) open(event.conn);
        Conn& c = conn(event.conn);
        if (!c.exchange) return;  // aborted within this batch
        switch (event.kind) {
            case EventKind::kAccepted:
            case EventKind::kConnected:
                report_.begun(seconds());
                break;
            case EventKind::kReceived:
                if (!c.exchange->receive(event.bytes.bytes())) return spoilt(event.conn);
                report_.moved(seconds());
                stall(event.conn, now);
                break;
            case EventKind::kPeerClosed:
                c.peer_closed = true;
                break;
            case EventKind::kTimer:
                carrier_->resume(event.conn);
                break;
            case EventKind::kWritable:
                break;
            case EventKind::kClosed:
                report_.ended(*c.exchange, to_string(event.reason));
                report_.moved(seconds());
                good_ = good_ && c.exchange->complete();
                c.exchange.reset();
                return;
        }
        send(event.conn);
    }

    void stall(ConnId id, Time now) {
        Conn& c = conn(id);
        if (peer_->stall_seconds <= 0 || c.stalled || c.exchange->bytes_received() < peer_->stall_at) return;
        c.stalled = true;
        carrier_->pause(id);
        carrier_->set_timer(id, now + Duration(static_cast<std::int64_t>(peer_->stall_seconds * 1e9)));
    }

    void send(ConnId id) {
        Conn& c = conn(id);
        if (c.ending) return;
        for (auto bytes = c.exchange->next(kPiece); !bytes.empty(); bytes = c.exchange->next(kPiece)) {
            if (!carrier_->prepare(id, bytes.size())) return;
            c.exchange->sent(bytes.size());
            while (!bytes.empty()) {
                const auto room = carrier_->room(id);
                const std::size_t part = std::min(room.size(), bytes.size());
                std::memcpy(room.data(), bytes.data(), part);
                carrier_->commit(id, part);
                bytes = bytes.subspan(part);
            }
        }
        if (!end_if_due(id) && peer_->script.end == End::kReset && c.exchange->complete())
            awaited_.push_back(id);
    }

    bool end_if_due(ConnId id) {
        Conn& c = conn(id);
        if (!c.exchange || c.ending) return true;
        if (!c.exchange->due(c.peer_closed, carrier_->unsent(id))) return false;
        c.ending = true;
        if (peer_->script.end != End::kReset) {
            carrier_->close(id);
            return true;
        }
        carrier_->abort(id);
        report_.ended(*c.exchange, "aborted");
        report_.moved(seconds());
        c.exchange.reset();
        return true;
    }

    void spoilt(ConnId id) {
        Conn& c = conn(id);
        report_.ended(*c.exchange, "spoilt");
        good_ = false;
        c.exchange.reset();
        carrier_->abort(id);
    }

    const StackOptions* options_;
    const PeerOptions* peer_;
    net::DpdkCarrier* carrier_;
    const Pattern pattern_;
    const TscClock clock_;
    const Time started_ = clock_.now();
    std::vector<Conn> exchanges_;
    std::vector<ConnId> awaited_;
    Report report_;
    std::uint64_t begun_ = 0;
    bool good_ = true;
};

Expected<StackOptions> parse(int argc, char** argv) {
    StackOptions options;
    std::string ip, gateway;
    double delayed_ack_ms = 0;
    CLI::App app{"A TCP peer on the userspace stack", "stack-peer"};
    app.add_option("--eal", options.eal)->required();
    app.add_option("--ip", ip)->required();
    app.add_option("--gateway", gateway);
    app.add_option("--mtu", options.mtu)->capture_default_str();
    app.add_option("--window", options.stack.tcp.receive_window, "bytes")->transform(CLI::AsSizeValue(false));
    app.add_option("--send-limit", options.stack.tcp.send_limit, "bytes")->transform(CLI::AsSizeValue(false));
    app.add_option("--delayed-ack", delayed_ack_ms, "milliseconds")->capture_default_str();
    app.add_option("--linger", options.linger_seconds, "seconds")->capture_default_str();
    auto peer = parse_peer_options(app, argc, argv);
    if (!peer) return tl::unexpected(peer.error());
    options.peer = *peer;
    auto cidr = net::parse_cidr(ip);
    if (!cidr) return tl::unexpected(cidr.error());
    options.stack.addresses.push_back({.first = cidr->address, .count = 1, .prefix = cidr->prefix});
    if (!gateway.empty()) {
        auto router = net::parse_ip(gateway);
        if (!router) return tl::unexpected(router.error());
        options.stack.gateways = {*router};
    }
    options.stack.tcp.delayed_ack = Duration(static_cast<std::int64_t>(delayed_ack_ms * 1e6));
    options.stack.tcp.mtu = options.mtu;
    options.stack.neighbours.tentative = {};  // the other end is the only other host
    return options;
}

Expected<bool> run(const StackOptions& options) {
    auto eal = net::Eal::start({.args = options.eal});
    if (!eal) return tl::unexpected(eal.error());
    auto port = net::Port::open({.mtu = options.mtu});
    if (!port) return tl::unexpected(port.error());
    auto carrier = net::DpdkCarrier::create(options.stack, *port, 0, nullptr);
    if (!carrier) return tl::unexpected(carrier.error());
    StackPeer peer(options, **carrier);
    bool good = false;
    eal->launch(0, [&] { good = peer.run(); });
    eal->join(0);
    const auto report = peer.report();
    std::printf("%s\n", report.dump().c_str());
    return good && report["ends"].size() != 0 && report["incomplete"] == 0;
}

}  // namespace
}  // namespace millrace::interop

int main(int argc, char** argv) {
    using namespace millrace;
    const auto options = interop::parse(argc, argv);
    const auto ran = options ? interop::run(*options) : tl::unexpected(options.error());
    if (ran) return *ran ? 0 : 1;
    std::fprintf(stderr, "stack-peer: %s\n", ran.error().message.c_str());
    return 2;
}
