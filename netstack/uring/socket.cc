#include "netstack/uring/socket.h"

#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "netstack/base/byte_order.h"

namespace millrace::net::uring {
namespace {

bool set(int fd, int level, int name, int value) {
    return ::setsockopt(fd, level, name, &value, sizeof value) == 0;
}

// The kernel counts in whole seconds, from one on.
int in_seconds(Duration duration) {
    return static_cast<int>(std::max(duration + 1s - 1ns, Duration(1s)) / 1s);
}

// Accepted sockets inherit it.
void be_patient(int fd, const Patience& patience) {
    if (patience.keep_alive != Duration{}) {
        set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
        set(fd, IPPROTO_TCP, TCP_KEEPIDLE, in_seconds(patience.keep_alive));
        set(fd, IPPROTO_TCP, TCP_KEEPINTVL, in_seconds(patience.keep_alive_interval));
        set(fd, IPPROTO_TCP, TCP_KEEPCNT, patience.keep_alive_probes);
    }
    if (patience.user_timeout != Duration{})
        set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, static_cast<int>(patience.user_timeout / 1ms));
}

// Not O_NONBLOCK: io_uring then waits for readiness itself instead of reporting EAGAIN.
int tcp_socket(const IpAddress& for_ip) {
    const int fd = ::socket(for_ip.is_v4() ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP);
    if (fd < 0) return -errno;
    set(fd, IPPROTO_TCP, TCP_NODELAY, 1);  // accepted sockets inherit it
    return fd;
}

Error explain_listen_failure(const SocketAddress& address, int error) {
    const std::string what = "cannot listen on " + to_string(address) + ": ";
    const std::string port = std::to_string(address.port);
    switch (error) {
        case EADDRINUSE:
            return {what + "the port is in use; ask `ss -ltnp 'sport = :" + port +
                    "'` by whom, or choose another with --listen"};
        case EACCES:
            return {what +
                    "ports below 1024 need a privilege; choose one above with --listen, or give the program "
                    "CAP_NET_BIND_SERVICE (setcap cap_net_bind_service=+ep)"};
        case EADDRNOTAVAIL:
            return {what + "no interface of this machine has the address; `ip address` shows which it has"};
        case EMFILE:
        case ENFILE:
            return {what + "no file descriptor left; raise the limit on open files (ulimit -n)"};
        default:
            return {what + std::strerror(error)};
    }
}

SocketAddress name_of(int fd, decltype(&::getsockname) ask) {
    KernelAddress name{};
    name.length = sizeof name.v6;
    if (ask(fd, &name.any, &name.length) != 0) return {};
    return from_kernel(name);
}

}  // namespace

KernelAddress to_kernel(const SocketAddress& address) {
    KernelAddress out{};
    if (address.ip.is_v4()) {
        out.v4.sin_family = AF_INET;
        out.v4.sin_addr.s_addr = htonl(address.ip.v4().value);
        out.v4.sin_port = htons(address.port);
        out.length = sizeof out.v4;
        return out;
    }
    out.v6 = {};
    out.v6.sin6_family = AF_INET6;
    store_ipv6(reinterpret_cast<std::byte*>(&out.v6.sin6_addr), address.ip);
    out.v6.sin6_port = htons(address.port);
    out.length = sizeof out.v6;
    return out;
}

SocketAddress from_kernel(const KernelAddress& address) {
    if (address.any.sa_family == AF_INET)
        return {Ipv4{ntohl(address.v4.sin_addr.s_addr)}, ntohs(address.v4.sin_port)};
    return {load_ipv6(reinterpret_cast<const std::byte*>(&address.v6.sin6_addr)),
            ntohs(address.v6.sin6_port)};
}

CloseReason reason_of(int error) {
    switch (error) {
        case ECONNREFUSED:
            return CloseReason::kRefused;
        case ETIMEDOUT:
            return CloseReason::kTimedOut;
        case EHOSTUNREACH:
        case ENETUNREACH:
        case EHOSTDOWN:
        case ENETDOWN:
            return CloseReason::kUnreachable;
        case ECONNRESET:
        case EPIPE:
            return CloseReason::kReset;
        case EADDRNOTAVAIL:  // no port left
            return CloseReason::kNoMemory;
        default:
            return is_exhaustion(error) ? CloseReason::kNoMemory : CloseReason::kLocalError;
    }
}

bool is_exhaustion(int error) {
    return error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS;
}

Expected<int> open_listener(const SocketAddress& address, bool share_port, int backlog,
                            const Patience& patience) {
    const int fd = tcp_socket(address.ip);
    if (fd < 0) return tl::unexpected(explain_listen_failure(address, -fd));
    be_patient(fd, patience);
    const KernelAddress name = to_kernel(address);
    set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (!address.ip.is_v4()) set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    if ((share_port && !set(fd, SOL_SOCKET, SO_REUSEPORT, 1)) || ::bind(fd, &name.any, name.length) != 0 ||
        ::listen(fd, backlog) != 0) {
        const int error = errno;
        ::close(fd);
        return tl::unexpected(explain_listen_failure(address, error));
    }
    return fd;
}

int open_client(const IpAddress& remote, const IpAddress& source, const Patience& patience) {
    const int fd = tcp_socket(remote);
    if (fd < 0) return fd;
    be_patient(fd, patience);
    if (source.is_unspecified()) return fd;
    const KernelAddress name = to_kernel({source, 0});
    set(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
    if (::bind(fd, &name.any, name.length) == 0) return fd;
    const int error = errno;
    ::close(fd);
    return -error;
}

SocketAddress local_address(int fd) {
    return name_of(fd, ::getsockname);
}
SocketAddress peer_address(int fd) {
    return name_of(fd, ::getpeername);
}

bool reset_on_close(int fd) {
    const linger now{.l_onoff = 1, .l_linger = 0};
    return ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now) == 0;
}

void finish_sending(int fd) {
    ::shutdown(fd, SHUT_WR);
}

}  // namespace millrace::net::uring
