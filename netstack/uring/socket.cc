#include "netstack/uring/socket.h"

#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace millrace::net::uring {
namespace {

bool set(int fd, int level, int name, int value) {
    return ::setsockopt(fd, level, name, &value, sizeof value) == 0;
}

// Not O_NONBLOCK: io_uring then waits for readiness itself instead of reporting EAGAIN.
int tcp_socket() {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP);
    if (fd < 0) return -errno;
    set(fd, IPPROTO_TCP, TCP_NODELAY, 1);  // accepted sockets inherit it
    return fd;
}

Error explain_listen_failure(SocketAddress address, int error) {
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
    sockaddr_in name{};
    socklen_t length = sizeof name;
    if (ask(fd, reinterpret_cast<sockaddr*>(&name), &length) != 0) return {};
    return from_sockaddr(name);
}

}  // namespace

sockaddr_in to_sockaddr(SocketAddress address) {
    sockaddr_in out{};
    out.sin_family = AF_INET;
    out.sin_addr.s_addr = htonl(address.ip.value);
    out.sin_port = htons(address.port);
    return out;
}

SocketAddress from_sockaddr(const sockaddr_in& address) {
    return {Ipv4{ntohl(address.sin_addr.s_addr)}, ntohs(address.sin_port)};
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

Expected<int> open_listener(SocketAddress address, bool share_port, int backlog) {
    const int fd = tcp_socket();
    if (fd < 0) return tl::unexpected(explain_listen_failure(address, -fd));
    const sockaddr_in name = to_sockaddr(address);
    set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if ((share_port && !set(fd, SOL_SOCKET, SO_REUSEPORT, 1)) ||
        ::bind(fd, reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0 ||
        ::listen(fd, backlog) != 0) {
        const int error = errno;
        ::close(fd);
        return tl::unexpected(explain_listen_failure(address, error));
    }
    return fd;
}

int open_client(Ipv4 source) {
    const int fd = tcp_socket();
    if (fd < 0 || source == Ipv4{}) return fd;
    const sockaddr_in name = to_sockaddr({source, 0});
    set(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
    if (::bind(fd, reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0) return fd;
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
