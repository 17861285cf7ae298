#include "engine/mold/feed.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/mold/generator.h"

namespace millrace::mold {
namespace {

TEST(FeedAddress, IsAGroupAndWhatIsKnownOfIt) {
    const auto plain = parse_feed_address("mold://233.54.12.111:26477");
    ASSERT_TRUE(plain) << plain.error().message;
    EXPECT_EQ(net::to_string(plain->group), "233.54.12.111:26477");
    EXPECT_EQ(plain->interface, "");
    EXPECT_FALSE(plain->request);
    const auto full =
        parse_feed_address("mold://233.54.12.111:26477?interface=eth1&request=10.0.0.1:18000&from=17");
    ASSERT_TRUE(full) << full.error().message;
    EXPECT_EQ(full->interface, "eth1");
    EXPECT_EQ(net::to_string(*full->request), "10.0.0.1:18000");
    EXPECT_EQ(full->from, 17u);
    for (const char* text : {"", "233.54.12.111:26477", "udp://233.54.12.111:26477", "mold://233.54.12.111",
                             "mold://x:1", "mold://[ff02::1]:5", "mold://233.54.12.111:1?x=1",
                             "mold://233.54.12.111:1?interface=", "mold://233.54.12.111:1?interface",
                             "mold://233.54.12.111:1?request=1",
                             "mold://233.54.12.111:1?from=", "mold://233.54.12.111:1?from=1x"})
        EXPECT_FALSE(parse_feed_address(text)) << text;
}

// A socket of this machine's loopback, with a port of its own.
class Socket {
  public:
    Socket() : fd_(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0)) {
        sockaddr_in name = loopback(0);
        EXPECT_EQ(::bind(fd_, reinterpret_cast<const sockaddr*>(&name), sizeof name), 0);
        socklen_t size = sizeof name;
        ::getsockname(fd_, reinterpret_cast<sockaddr*>(&name), &size);
        port_ = ::ntohs(name.sin_port);
        EXPECT_EQ(::setsockopt(fd_, IPPROTO_IP, IP_MULTICAST_IF, &name.sin_addr, sizeof name.sin_addr), 0);
    }
    ~Socket() { ::close(fd_); }
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;

    static sockaddr_in loopback(std::uint16_t port) {
        sockaddr_in out{};
        out.sin_family = AF_INET;
        out.sin_port = ::htons(port);
        out.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
        return out;
    }
    std::uint16_t port() const { return port_; }
    void send(const std::vector<std::byte>& packet, const sockaddr_in& to) {
        ASSERT_EQ(
            ::sendto(fd_, packet.data(), packet.size(), 0, reinterpret_cast<const sockaddr*>(&to), sizeof to),
            static_cast<ssize_t>(packet.size()));
    }
    // A request that has come, and from where.
    bool receive(Header& out, sockaddr_in& from) {
        std::array<std::byte, 100> packet;
        socklen_t size = sizeof from;
        const ssize_t got =
            ::recvfrom(fd_, packet.data(), packet.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
        return got == static_cast<ssize_t>(kHeader) && decode(packet, out);
    }

  private:
    int fd_;
    std::uint16_t port_ = 0;
};

// A server of a session that loses every fifth packet on the way to the group, and answers requests.
class Server {
  public:
    Server() {
        itch::Generator generator({.seed = 2, .stocks = 10, .count = 2000});
        std::vector<std::byte> one;
        while (generator.next(one))
            messages_.push_back(one);
        itch::Generator again({.seed = 2, .stocks = 10, .count = 2000});
        while (again.next_packet(one))
            packets_.push_back(one);
    }
    const auto& messages() const { return messages_; }
    std::uint16_t port() const { return requests_.port(); }

    void turn(const sockaddr_in& group) {
        if (sent_ < packets_.size()) {
            if (const std::size_t at = sent_++; at % 5 != 3) sender_.send(packets_[at], group);
        } else {
            sender_.send(packets_.back(), group);
        }
        Header asked;
        for (sockaddr_in from{}; requests_.receive(asked, from);) {
            ++requested;
            answer(asked, from);
        }
    }
    int requested = 0;

  private:
    void answer(Header asked, const sockaddr_in& to) {
        asked.count = std::min<std::uint16_t>(asked.count, 20);
        const auto header = encode(asked);
        std::vector<std::byte> packet(header.begin(), header.end());
        for (std::uint64_t n = asked.sequence; n < asked.sequence + asked.count; ++n) {
            packet.push_back(std::byte{0});
            packet.push_back(static_cast<std::byte>(messages_[n - 1].size()));
            packet.insert(packet.end(), messages_[n - 1].begin(), messages_[n - 1].end());
        }
        requests_.send(packet, to);
    }

    Socket sender_, requests_;
    std::vector<std::vector<std::byte>> messages_, packets_;
    std::size_t sent_ = 0;
};

TEST(Feed, AGroupOnLoopbackIsHeardWholeThoughPacketsAreLost) {
    Server server;
    sockaddr_in group = Socket::loopback(Socket().port());  // a port that nobody has
    group.sin_addr.s_addr = ::htonl(0xEFFF0123);            // 239.255.1.35, of this site only
    const std::string port = std::to_string(::ntohs(group.sin_port));
    const auto address =
        parse_feed_address("mold://239.255.1.35:" + port +
                           "?interface=127.0.0.1&from=1&request=127.0.0.1:" + std::to_string(server.port()));
    ASSERT_TRUE(address) << address.error().message;
    auto feed = Feed::open(*address);
    if (!feed && feed.error().message.find("cannot join") != std::string::npos)
        GTEST_SKIP() << feed.error().message;
    ASSERT_TRUE(feed) << feed.error().message;

    std::size_t heard = 0;
    publish::Item item;
    publish::Next next = publish::Next::kNone;
    for (Time now{1s}; next != publish::Next::kEnd; now += 10ms) {
        ASSERT_LT(now.time_since_epoch(), 1000s) << heard;
        server.turn(group);
        while ((next = feed->next(item, now)) == publish::Next::kItem) {
            ASSERT_LT(heard, server.messages().size());
            const auto& sent = server.messages()[heard++];
            ASSERT_EQ(item.payload, std::string(reinterpret_cast<const char*>(sent.data()), sent.size()))
                << heard;
            ASSERT_TRUE(item.topic == "itch.system" || item.topic.starts_with("itch.S")) << item.topic;
        }
    }
    EXPECT_EQ(heard, 2000u);
    EXPECT_EQ(feed->counters().lost, 0u);
    EXPECT_GT(server.requested, 3);
}

TEST(Feed, WhatCannotBeJoinedIsSaid) {
    auto address = *parse_feed_address("mold://239.255.1.35:9?interface=no-such-interface");
    auto feed = Feed::open(address);
    ASSERT_FALSE(feed);
    EXPECT_NE(feed.error().message.find("no-such-interface"), std::string::npos);
}

}  // namespace
}  // namespace millrace::mold
