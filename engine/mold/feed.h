#pragma once
// A MoldUDP64 feed of ITCH 5.0 messages over the kernel's UDP: a multicast group that is joined, and where
// there is one, a server that is asked for what was missed. Each message becomes one of a topic by its
// symbol.

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/mold/itch.h"
#include "engine/mold/session.h"
#include "engine/publish/item.h"
#include "netstack/base/address.h"
#include "netstack/base/error.h"

namespace millrace::mold {

// mold://GROUP:PORT[?interface=NAME|ADDRESS][&request=ADDRESS:PORT][&from=N]
struct FeedAddress {
    net::SocketAddress group;  // or an address of ours, for a feed that is not multicast; IPv4
    std::string interface;     // on which the group is joined; empty: the system's choice
    std::optional<net::SocketAddress> request;
    std::uint64_t from = 0;  // the first message that is wanted; 0: the first that comes
};
Expected<FeedAddress> parse_feed_address(std::string_view text);

class Feed {
  public:
    static Expected<Feed> open(const FeedAddress& address);
    Feed(Feed&&) noexcept;
    ~Feed();

    // The next message, as binary; kEnd when the session has ended. Never waits.
    publish::Next next(publish::Item& out, Time now);

    const Receiver::Counters& counters() const { return receiver_.counters(); }
    // Messages that are not of ITCH 5.0.
    std::uint64_t passed_over() const { return passed_over_; }

  private:
    Feed(int group, int request, const FeedAddress& address);

    void receive(Time now);
    void receive_from(int socket, Time now);
    void keep(std::span<const std::byte> message);
    auto keeper() {
        return [this](std::uint64_t, std::span<const std::byte> message) { keep(message); };
    }

    static constexpr std::size_t kPacketsAtOnce = 64;

    int group_;    // where packets come from
    int request_;  // where requests go to and their answers come from; -1: nowhere
    Receiver receiver_;
    itch::Topics topics_;
    std::deque<publish::Item> ready_;  // what came in the packets that were read last
    std::vector<std::byte> packet_;
    std::uint64_t passed_over_ = 0;
};

}  // namespace millrace::mold
