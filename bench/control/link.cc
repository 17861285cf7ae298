#include "bench/control/link.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace millrace::bench {

namespace {

// A whole histogram is half a megabyte.
constexpr std::size_t kLongest = 16u << 20;
constexpr int kSendPatienceMs = 10'000;

}  // namespace

Link::Link(int fd) : fd_(fd) {
    ::fcntl(fd_, F_SETFL, ::fcntl(fd_, F_GETFL) | O_NONBLOCK);
    ::fcntl(fd_, F_SETFD, FD_CLOEXEC);
}

Link::Link(Link&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      unread_(std::move(other.unread_)),
      broken_(std::move(other.broken_)) {}

Link::~Link() {
    if (fd_ >= 0) ::close(fd_);
}

void Link::send(const nlohmann::json& message) {
    const std::string text = message.dump() + '\n';
    for (std::size_t sent = 0; sent < text.size() && broken_.empty();) {
        const ssize_t n = ::send(fd_, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
        if (n >= 0) {
            sent += static_cast<std::size_t>(n);
        } else if (errno == EAGAIN || errno == EINTR) {
            pollfd writable{.fd = fd_, .events = POLLOUT, .revents = 0};
            if (::poll(&writable, 1, kSendPatienceMs) == 0) break_off("it took nothing for 10 s");
        } else {
            break_off(std::strerror(errno));
        }
    }
}

std::optional<nlohmann::json> Link::receive() {
    if (unread_.find('\n') == unread_.npos) read_some();
    const std::size_t end = unread_.find('\n');
    if (end == unread_.npos) {
        if (unread_.size() > kLongest) break_off("it said too much at once");
        return std::nullopt;
    }
    auto message = nlohmann::json::parse(unread_.begin(), unread_.begin() + static_cast<std::ptrdiff_t>(end),
                                         nullptr, false);
    unread_.erase(0, end + 1);
    if (message.is_object()) return message;
    break_off("it said what was not understood");
    return std::nullopt;
}

void Link::read_some() {
    char some[65536];
    for (;;) {
        const ssize_t n = ::recv(fd_, some, sizeof some, 0);
        if (n > 0) {
            unread_.append(some, static_cast<std::size_t>(n));
            if (unread_.size() > kLongest) return;
            continue;
        }
        if (n == 0) return break_off("it ended");
        if (errno == EINTR) continue;
        if (errno != EAGAIN) break_off(std::strerror(errno));
        return;
    }
}

}  // namespace millrace::bench
