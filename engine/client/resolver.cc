#include "engine/client/resolver.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>

#include <atomic>
#include <cstring>
#include <thread>

#include "netstack/base/byte_order.h"
#include "netstack/base/spsc_ring.h"

namespace millrace::client {
namespace {

constexpr std::size_t kMostAddresses = 32;

struct Question {
    std::string host;
    std::uint16_t port = 0;
};

net::IpAddress address_of(const sockaddr& from) {
    if (from.sa_family == AF_INET) {
        sockaddr_in v4;
        std::memcpy(&v4, &from, sizeof v4);
        return net::Ipv4{ntohl(v4.sin_addr.s_addr)};
    }
    sockaddr_in6 v6;
    std::memcpy(&v6, &from, sizeof v6);
    return net::load_ipv6(reinterpret_cast<const std::byte*>(&v6.sin6_addr));
}

}  // namespace

Expected<Addresses> resolve(const std::string& host, std::uint16_t port) {
    addrinfo wanted{};
    wanted.ai_family = AF_UNSPEC;
    wanted.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (const int error = ::getaddrinfo(host.c_str(), nullptr, &wanted, &found); error != 0)
        return fail(fmt::format("the name {} has no address: {}", host, ::gai_strerror(error)));
    Addresses addresses;
    for (const addrinfo* one = found; one && addresses.size() < kMostAddresses; one = one->ai_next)
        if (one->ai_family == AF_INET || one->ai_family == AF_INET6)
            addresses.push_back({address_of(*one->ai_addr), port});
    ::freeaddrinfo(found);
    if (addresses.empty()) return fail(fmt::format("the name {} has no IP address", host));
    return interlaced(addresses);
}

Addresses interlaced(const Addresses& addresses) {
    Addresses first, second, out;
    for (const net::SocketAddress& address : addresses)
        (address.ip.is_v4() == addresses.front().ip.is_v4() ? first : second).push_back(address);
    for (std::size_t i = 0; i < std::max(first.size(), second.size()); ++i) {
        if (i < first.size()) out.push_back(first[i]);
        if (i < second.size()) out.push_back(second[i]);
    }
    return out;
}

// The thread sleeps on `turns`; the rings carry what it is about.
struct Resolver::Shared {
    SpscRing<Question> questions{1};
    SpscRing<Expected<Addresses>> answers{1};
    std::atomic<unsigned> turns{0};
    std::atomic<bool> over{false};

    void run() {
        for (unsigned seen = 0; !over.load(); seen = turns.load()) {
            Question question;
            if (questions.pop(question))
                answers.push(resolve(question.host, question.port));
            else
                turns.wait(seen);
        }
    }
    void wake() {
        turns.store(turns.load() + 1);
        turns.notify_one();
    }
};

Resolver::Resolver() : shared_(std::make_shared<Shared>()) {
    std::thread([shared = shared_] { shared->run(); }).detach();
}

Resolver::~Resolver() {
    shared_->over.store(true);
    shared_->wake();
}

bool Resolver::ask(std::string host, std::uint16_t port) {
    if (asked_) return false;
    asked_ = true;
    shared_->questions.push(Question{std::move(host), port});
    shared_->wake();
    return true;
}

bool Resolver::poll(Expected<Addresses>& answer) {
    if (!asked_ || !shared_->answers.pop(answer)) return false;
    asked_ = false;
    return true;
}

}  // namespace millrace::client
