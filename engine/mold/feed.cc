#include "engine/mold/feed.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace millrace::mold {
namespace {

sockaddr_in to_kernel(const net::SocketAddress& address) {
    sockaddr_in out{};
    out.sin_family = AF_INET;
    out.sin_port = ::htons(address.port);
    out.sin_addr.s_addr = ::htonl(address.ip.v4().value);
    return out;
}

tl::unexpected<Error> failed(const std::string& what, const std::string& remedy) {
    return fail(what + ": " + std::strerror(errno) + ": " + remedy);
}

int udp_socket() {
    return ::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

// By its name or by its address.
bool set_interface(const std::string& interface, ip_mreqn& out) {
    if (interface.empty()) return true;
    if (const auto ip = net::parse_ip(interface); ip && ip->is_v4()) {
        out.imr_address.s_addr = ::htonl(ip->v4().value);
        return true;
    }
    out.imr_ifindex = static_cast<int>(::if_nametoindex(interface.c_str()));
    return out.imr_ifindex != 0;
}

Expected<void> join(int socket, const FeedAddress& address) {
    const sockaddr_in group = to_kernel(address.group);
    if (!IN_MULTICAST(::ntohl(group.sin_addr.s_addr))) return {};
    ip_mreqn membership{};
    membership.imr_multiaddr = group.sin_addr;
    if (!set_interface(address.interface, membership))
        return fail("there is no interface '" + address.interface + "': ip link lists them");
    if (::setsockopt(socket, IPPROTO_IP, IP_ADD_MEMBERSHIP, &membership, sizeof membership) != 0)
        return failed("cannot join " + net::to_string(address.group),
                      "give interface= one that is up, by its name or its address");
    // Only what comes to the group joined here, not to one that another program has joined.
    const int no = 0;
    ::setsockopt(socket, IPPROTO_IP, IP_MULTICAST_ALL, &no, sizeof no);
    return {};
}

Expected<void> listen_to(int socket, const FeedAddress& address) {
    const int yes = 1, buffer = 8 << 20;  // as much as a burst may be; the kernel gives what it is allowed to
    ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    ::setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
    const sockaddr_in name = to_kernel(address.group);
    if (::bind(socket, reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0)
        return failed("cannot receive on " + net::to_string(address.group),
                      "give a multicast group or an address of this machine, and a free port");
    return join(socket, address);
}

}  // namespace

Expected<Feed> Feed::open(const FeedAddress& address) {
    Feed feed(udp_socket(), address.request ? udp_socket() : -1, address);
    if (feed.group_ < 0 || (address.request && feed.request_ < 0))
        return failed("cannot make a UDP socket", "raise the limit on open files (ulimit -n)");
    if (auto listening = listen_to(feed.group_, address); !listening)
        return tl::unexpected(listening.error());
    if (address.request) {
        const sockaddr_in server = to_kernel(*address.request);
        if (::connect(feed.request_, reinterpret_cast<const sockaddr*>(&server), sizeof server) != 0)
            return failed("cannot reach " + net::to_string(*address.request),
                          "give request= a server that there is");
    }
    return feed;
}

Feed::Feed(int group, int request, const FeedAddress& address)
    : group_(group),
      request_(request),
      receiver_({.from = address.from, .request = address.request.has_value()}),
      packet_(kMaxPacket) {}

Feed::Feed(Feed&& other) noexcept
    : group_(std::exchange(other.group_, -1)),
      request_(std::exchange(other.request_, -1)),
      receiver_(std::move(other.receiver_)),
      topics_(std::move(other.topics_)),
      ready_(std::move(other.ready_)),
      packet_(std::move(other.packet_)),
      passed_over_(other.passed_over_) {}

Feed::~Feed() {
    for (const int socket : {group_, request_})
        if (socket >= 0) ::close(socket);
}

publish::Next Feed::next(publish::Item& out, Time now) {
    if (ready_.empty()) receive(now);
    if (ready_.empty()) return receiver_.ended() ? publish::Next::kEnd : publish::Next::kNone;
    out = std::move(ready_.front());
    ready_.pop_front();
    return publish::Next::kItem;
}

void Feed::receive(Time now) {
    receive_from(group_, now);
    if (request_ >= 0) {
        receive_from(request_, now);
        if (const auto wanted = receiver_.request(now)) {
            const auto packet = encode(*wanted);
            // One that does not leave is sent again, as one that is not answered.
            [[maybe_unused]] const auto sent = ::send(request_, packet.data(), packet.size(), MSG_NOSIGNAL);
        }
    }
    receiver_.turn(now, keeper());
}

void Feed::receive_from(int socket, Time now) {
    for (std::size_t i = 0; i < kPacketsAtOnce; ++i) {
        const ssize_t size = ::recv(socket, packet_.data(), packet_.size(), 0);
        if (size < 0) return;
        receiver_.take(std::span(packet_).first(static_cast<std::size_t>(size)), now, keeper());
    }
}

void Feed::keep(std::span<const std::byte> message) {
    std::string_view topic;
    if (!topics_.find(message, topic)) {
        ++passed_over_;
        return;
    }
    publish::Item& item = ready_.emplace_back();
    item.topic = topic;
    item.payload.assign(reinterpret_cast<const char*>(message.data()), message.size());
    item.content = fanout::Content::kBinary;
}

}  // namespace millrace::mold
