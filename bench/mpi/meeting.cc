#include "bench/mpi/meeting.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "bench/load/member.h"

namespace millrace::bench {

namespace {

using Json = nlohmann::json;

constexpr Duration kAllCome = 60s;
constexpr Duration kOneAnswers = 5s;

int milliseconds(Duration time) {
    return static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(time).count());
}

// Small messages shall not wait for one another.
void hurry(int fd) {
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

Expected<std::string> make_token() {
    unsigned char octets[16];
    if (::getrandom(octets, sizeof octets, 0) != sizeof octets)
        return fail("no random numbers for the ranks' token: they come from getrandom()");
    std::string token;
    for (const unsigned char octet : octets)
        token += fmt::format("{:02x}", octet);
    return token;
}

// Loopback first: most ranks are where the first one is, or none, and are refused there at once.
std::vector<std::string> own_addresses() {
    std::vector<std::string> addresses{"127.0.0.1"};
    ifaddrs* all = nullptr;
    if (::getifaddrs(&all) != 0) return addresses;
    for (const ifaddrs* one = all; one != nullptr; one = one->ifa_next) {
        if (one->ifa_addr == nullptr || one->ifa_addr->sa_family != AF_INET ||
            (one->ifa_flags & IFF_LOOPBACK) != 0)
            continue;
        sockaddr_in address{};
        std::memcpy(&address, one->ifa_addr, sizeof address);
        char text[INET_ADDRSTRLEN];
        addresses.emplace_back(::inet_ntop(AF_INET, &address.sin_addr, text, sizeof text));
    }
    ::freeifaddrs(all);
    return addresses;
}

std::optional<Json> await_message(Link& link) {
    const Duration until = steady_now() + kOneAnswers;
    for (;;) {
        if (auto message = link.receive()) return message;
        const Duration left = until - steady_now();
        if (!link.broken().empty() || left <= Duration{}) return std::nullopt;
        pollfd readable{.fd = link.fd(), .events = POLLIN, .revents = 0};
        ::poll(&readable, 1, milliseconds(left) + 1);
    }
}

// A connected socket, or -1.
int call(const std::string& address, std::uint16_t port) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    if (::inet_pton(AF_INET, address.c_str(), &to.sin_addr) != 1) return -1;
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    int error = 0;
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
        error = errno;
        pollfd writable{.fd = fd, .events = POLLOUT, .revents = 0};
        socklen_t size = sizeof error;
        if (error != EINPROGRESS || ::poll(&writable, 1, milliseconds(kOneAnswers)) != 1 ||
            ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
            error = ETIMEDOUT;
    }
    if (error == 0) return fd;
    ::close(fd);
    return -1;
}

}  // namespace

Expected<Meeting> Meeting::open() {
    auto token = make_token();
    if (!token) return tl::unexpected(token.error());
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    sockaddr_in any{};
    any.sin_family = AF_INET;
    socklen_t size = sizeof any;
    if (fd < 0 || ::bind(fd, reinterpret_cast<const sockaddr*>(&any), size) != 0 ||
        ::listen(fd, SOMAXCONN) != 0 || ::getsockname(fd, reinterpret_cast<sockaddr*>(&any), &size) != 0) {
        const int error = errno;
        if (fd >= 0) ::close(fd);
        return fail(fmt::format("the first rank cannot listen for the others: {}", std::strerror(error)));
    }
    const Json invitation = {
        {"token", *token}, {"port", ntohs(any.sin_port)}, {"addresses", own_addresses()}};
    return Meeting(fd, *token, invitation.dump());
}

Meeting::Meeting(Meeting&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      token_(std::move(other.token_)),
      invitation_(std::move(other.invitation_)) {}

Meeting::~Meeting() {
    if (fd_ >= 0) ::close(fd_);
}

Expected<std::vector<Companion>> Meeting::await(unsigned ranks) {
    const Duration until = steady_now() + kAllCome;
    std::vector<std::optional<Link>> links(ranks);
    for (unsigned missing = ranks - 1; missing != 0;) {
        pollfd readable{.fd = fd_, .events = POLLIN, .revents = 0};
        const Duration left = until - steady_now();
        if (left <= Duration{} || ::poll(&readable, 1, milliseconds(left) + 1) == 0)
            return fail(
                fmt::format("{} of {} ranks did not come in a minute: do firewalls let TCP pass between "
                            "their machines?",
                            missing, ranks));
        const int fd = ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
        if (fd < 0) continue;
        hurry(fd);
        Link link(fd);
        const unsigned rank = admit(link, ranks);
        if (rank == 0 || links[rank]) continue;
        links[rank].emplace(std::move(link));
        --missing;
    }
    std::vector<Companion> companions;
    for (unsigned rank = 1; rank < ranks; ++rank)
        companions.push_back(
            {.name = fmt::format("rank {} of {}", rank, ranks), .link = std::move(*links[rank])});
    return companions;
}

unsigned Meeting::admit(Link& link, unsigned ranks) const {
    const auto said = await_message(link);
    if (!said || said->value("token", "") != token_) return 0;
    const unsigned rank = said->value("rank", 0u);
    if (rank >= ranks) return 0;
    link.send({{"welcome", true}});
    return rank;
}

Expected<Link> come_to(const std::string& invitation, unsigned rank) {
    const Json where = Json::parse(invitation, nullptr, false);
    if (!where.is_object()) return fail("the first rank's invitation was not understood");
    for (const auto& address : where.at("addresses")) {
        const int fd = call(address.get<std::string>(), where.at("port").get<std::uint16_t>());
        if (fd < 0) continue;
        hurry(fd);
        Link link(fd);
        link.send({{"token", where.at("token")}, {"rank", rank}});
        if (const auto answer = await_message(link); answer && answer->contains("welcome")) return link;
    }
    return fail(fmt::format(
        "rank {} cannot reach the first one by TCP: do firewalls let it pass between their machines?", rank));
}

}  // namespace millrace::bench
