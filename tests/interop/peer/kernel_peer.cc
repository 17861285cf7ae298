// A TCP peer on the kernel's sockets: the other end of stack_peer.cc, with the same options and the same
// report. The report's "tcp" is what the kernel says (TCP_INFO) of the connection that ended last.
//
//     kernel-peer --listen|--connect ADDR:PORT --send N --receive N --end HOW ...

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <unordered_map>

#include "tests/interop/peer/options.h"
#include "tests/interop/peer/report.h"

namespace millrace::interop {
namespace {

struct KernelOptions {
    PeerOptions peer;
    int receive_buffer = 0;  // SO_RCVBUF; zero: the kernel tunes it
    int send_buffer = 0;
    int window_clamp = 0;
    int segment = 0;          // TCP_MAXSEG
    bool keep_alive = false;  // probes a second apart
    std::string congestion;   // control: one of those that the kernel has; empty: the system's
};

class KernelPeer {
  public:
    explicit KernelPeer(const KernelOptions& options)
        : options_(&options), peer_(&options.peer), epoll_(epoll_create1(0)), buffer_(kPiece) {}

    Expected<bool> run() {
        if (peer_->listens && !listen()) return fail(std::string("cannot listen: ") + std::strerror(errno));
        std::fprintf(stderr, "ready\n");
        while (report_.over() < peer_->connections && seconds() < peer_->patience_seconds) {
            connect();
            epoll_event events[64];
            const int n = epoll_wait(epoll_, events, 64, wait_);
            wait_ = kTick;
            for (int i = 0; i < n; ++i) {
                if (events[i].data.fd == listener_)
                    accept();
                else
                    turn(events[i].data.fd);
            }
            look_at_waiting();
        }
        return good_;
    }

    nlohmann::json report() const {
        auto json = report_.json();
        json["open"] = conns_.size();
        json["tcp"] = info_;
        return json;
    }

  private:
    static constexpr std::size_t kPiece = 262'144;
    static constexpr int kTick = 10;  // milliseconds
    // TCP_INFO's states, which <linux/tcp.h> does not name.
    static constexpr int kLastAck = 9;
    static constexpr int kClosing = 11;

    struct Conn {
        Exchange exchange;
        bool connected = false;
        bool peer_closed = false;
        bool ended = false;  // FIN sent
        bool stalled = false;
        double stalled_until = 0;
    };

    double seconds() const {
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - started_).count();
    }

    static void put(std::uint64_t value, std::uint8_t* to) {
        for (int i = 7; i >= 0; --i, value >>= 8)
            to[i] = static_cast<std::uint8_t>(value);
    }

    // The address in the form of either family's socket; the length goes into `size`.
    sockaddr_storage address(socklen_t& size) const {
        sockaddr_storage storage{};
        const net::IpAddress& ip = peer_->address.ip;
        if (ip.is_v4()) {
            auto& in = reinterpret_cast<sockaddr_in&>(storage);
            in.sin_family = AF_INET;
            in.sin_port = htons(peer_->address.port);
            in.sin_addr.s_addr = htonl(ip.v4().value);
            size = sizeof in;
        } else {
            auto& in = reinterpret_cast<sockaddr_in6&>(storage);
            in.sin6_family = AF_INET6;
            in.sin6_port = htons(peer_->address.port);
            put(ip.high, in.sin6_addr.s6_addr);
            put(ip.low, in.sin6_addr.s6_addr + 8);
            size = sizeof in;
        }
        return storage;
    }

    int socket() const {
        const int fd =
            ::socket(peer_->address.ip.is_v4() ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0);
        const auto set = [&](int level, int option, int value) {
            if (value != 0) setsockopt(fd, level, option, &value, sizeof value);
        };
        set(SOL_SOCKET, SO_REUSEADDR, 1);
        set(SOL_SOCKET, SO_RCVBUF, options_->receive_buffer);
        set(SOL_SOCKET, SO_SNDBUF, options_->send_buffer);
        set(IPPROTO_TCP, TCP_WINDOW_CLAMP, options_->window_clamp);
        set(IPPROTO_TCP, TCP_MAXSEG, options_->segment);
        set(SOL_SOCKET, SO_KEEPALIVE, options_->keep_alive);
        set(IPPROTO_TCP, TCP_KEEPIDLE, options_->keep_alive);
        set(IPPROTO_TCP, TCP_KEEPINTVL, options_->keep_alive);
        const std::string& congestion = options_->congestion;
        if (!congestion.empty())
            setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, congestion.data(),
                       static_cast<socklen_t>(congestion.size()));
        return fd;
    }

    bool listen() {
        listener_ = socket();
        socklen_t size = 0;
        const sockaddr_storage in = address(size);
        if (bind(listener_, reinterpret_cast<const sockaddr*>(&in), size) != 0) return false;
        if (::listen(listener_, 4096) != 0) return false;
        watch(listener_, EPOLLIN);
        return true;
    }

    void watch(int fd, std::uint32_t events) {
        epoll_event event{.events = events, .data = {.fd = fd}};
        epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
    }

    void accept() {
        for (int fd; (fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK)) >= 0;) {
            auto& c = conns_.emplace(fd, Conn{Exchange(peer_->script, pattern_)}).first->second;
            c.connected = true;
            report_.begun(seconds());
            watch(fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
        }
    }

    void connect() {
        while (!peer_->listens && begun_ < peer_->connections && conns_.size() < peer_->parallel) {
            const int fd = socket();
            socklen_t size = 0;
            const sockaddr_storage in = address(size);
            if (::connect(fd, reinterpret_cast<const sockaddr*>(&in), size) != 0 && errno != EINPROGRESS) {
                close(fd);  // no port is free: tried again in the next turn
                return;
            }
            ++begun_;
            report_.begun(seconds());
            conns_.emplace(fd, Conn{Exchange(peer_->script, pattern_)});
            watch(fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
        }
    }

    // As far as it goes, both ways.
    void turn(int fd) {
        const auto found = conns_.find(fd);
        if (found == conns_.end()) return;
        Conn& c = found->second;
        if (int error = failure(fd); error != 0) {
            // What was acknowledged before a reset is still there to be read.
            for (int received = 1; received > 0;)
                if ((received = receive(fd, c)) < 0) return;
            return over(fd, c, std::strerror(error));
        }
        for (bool more = true; more;) {
            const int received = receive(fd, c);
            if (received < 0) return;
            more = received == static_cast<int>(buffer_.size());
            more |= send(fd, c) > 0;
        }
        end_if_due(fd, c);
    }

    static int failure(int fd) {
        int error = 0;
        socklen_t size = sizeof error;
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
        return error;
    }

    // Bytes; negative when the connection is over.
    int receive(int fd, Conn& c) {
        if (c.peer_closed || seconds() < c.stalled_until) return 0;
        const ssize_t n = recv(fd, buffer_.data(), buffer_.size(), 0);
        if (n < 0 && errno == EAGAIN) return 0;
        if (n < 0) return over(fd, c, std::strerror(errno)), -1;
        if (n == 0) {
            c.peer_closed = true;
            return 0;
        }
        if (!c.exchange.receive(std::span(buffer_).first(static_cast<std::size_t>(n))))
            return over(fd, c, "spoilt"), -1;
        report_.moved(seconds());
        if (peer_->stall_seconds > 0 && !c.stalled && c.exchange.bytes_received() >= peer_->stall_at) {
            c.stalled = true;
            c.stalled_until = seconds() + peer_->stall_seconds;
        }
        return static_cast<int>(n);
    }

    int send(int fd, Conn& c) {
        const auto bytes = c.exchange.next(kPiece);
        if (bytes.empty() || c.ended) return 0;
        const ssize_t n = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (n <= 0) return 0;  // what is wrong, if something is, the next turn hears
        c.exchange.sent(static_cast<std::size_t>(n));
        return static_cast<int>(n);
    }

    void end_if_due(int fd, Conn& c) {
        int unsent = 0;
        ioctl(fd, SIOCOUTQ, &unsent);
        if (!c.ended && c.exchange.due(c.peer_closed, static_cast<std::size_t>(unsent))) {
            c.ended = true;
            if (peer_->script.end == End::kReset) return reset(fd, c);
            shutdown(fd, SHUT_WR);
        }
        // Both FINs have come and gone when nothing is unacknowledged, ours included.
        tcp_info info{};
        if (c.ended && c.peer_closed && unsent == 0) {
            inform(fd, info);
            if (info.tcpi_state != kLastAck && info.tcpi_state != kClosing) over(fd, c, "finished");
        }
    }

    void reset(int fd, Conn& c) {
        const linger at_once{.l_onoff = 1, .l_linger = 0};
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        over(fd, c, "aborted");
    }

    void over(int fd, Conn& c, std::string_view how) {
        if (tcp_info info{}; inform(fd, info)) {
            info_ = {{"timestamps", (info.tcpi_options & TCPI_OPT_TIMESTAMPS) != 0},
                     {"sack", (info.tcpi_options & TCPI_OPT_SACK) != 0},
                     {"window_scale", (info.tcpi_options & TCPI_OPT_WSCALE) != 0},
                     {"peer_scale", int{info.tcpi_snd_wscale}},
                     {"own_scale", int{info.tcpi_rcv_wscale}},
                     {"snd_mss", info.tcpi_snd_mss},
                     {"rcv_mss", info.tcpi_rcv_mss},
                     {"retransmitted", info.tcpi_total_retrans},
                     {"dsack_dups", info.tcpi_dsack_dups},
                     {"pmtu", info.tcpi_pmtu}};
        }
        report_.ended(c.exchange, how);
        report_.moved(seconds());
        good_ = good_ && c.exchange.complete();
        close(fd);
        conns_.erase(fd);
    }

    static bool inform(int fd, tcp_info& info) {
        socklen_t size = sizeof info;
        return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0;
    }

    // What no event announces: acknowledgments of the last bytes and of the FIN, and the end of a stall.
    void look_at_waiting() {
        if (seconds() < next_look_) return;
        next_look_ = seconds() + kTick / 1000.0;
        std::vector<int> waiting;
        for (const auto& [fd, c] : conns_)
            if (c.ended || c.peer_closed || c.stalled || c.exchange.complete()) waiting.push_back(fd);
        for (int fd : waiting)
            turn(fd);
    }

    const KernelOptions* options_;
    const PeerOptions* peer_;
    const Pattern pattern_;
    const std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
    int epoll_;
    int listener_ = -1;
    int wait_ = 0;
    double next_look_ = 0;
    std::vector<std::byte> buffer_;
    std::unordered_map<int, Conn> conns_;
    Report report_;
    nlohmann::json info_;
    std::uint64_t begun_ = 0;
    bool good_ = true;
};

Expected<KernelOptions> parse(int argc, char** argv) {
    KernelOptions options;
    CLI::App app{"A TCP peer on the kernel's sockets", "kernel-peer"};
    app.add_option("--rcvbuf", options.receive_buffer, "bytes");
    app.add_option("--sndbuf", options.send_buffer, "bytes");
    app.add_option("--clamp", options.window_clamp, "bytes");
    app.add_option("--mss", options.segment, "bytes");
    app.add_option("--congestion", options.congestion);
    app.add_flag("--keep-alive", options.keep_alive);
    auto peer = parse_peer_options(app, argc, argv);
    if (!peer) return tl::unexpected(peer.error());
    options.peer = *peer;
    return options;
}

}  // namespace
}  // namespace millrace::interop

int main(int argc, char** argv) {
    using namespace millrace;
    const auto options = interop::parse(argc, argv);
    auto complain = [](const std::string& what) {
        std::fprintf(stderr, "kernel-peer: %s\n", what.c_str());
        return 2;
    };
    if (!options) return complain(options.error().message);
    interop::KernelPeer peer(*options);
    const auto ran = peer.run();
    if (!ran) return complain(ran.error().message);
    const auto report = peer.report();
    std::printf("%s\n", report.dump().c_str());
    return *ran && report["ends"].size() != 0 ? 0 : 1;
}
