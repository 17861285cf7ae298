#pragma once
// One server shard of the lab: an endpoint that echoes, and checks what it echoes.

#include <cstdint>
#include <memory>
#include <optional>

#include "bench/control/mailbox.h"
#include "bench/lab/carrier.h"
#include "bench/lab/fanout.h"
#include "bench/lab/floor.h"
#include "bench/lab/order.h"
#include "bench/lab/report.h"
#include "bench/traffic/pattern.h"
#include "engine/endpoint/endpoint.h"
#include "netstack/base/clock.h"

namespace millrace::bench {

// What the server has seen of the pattern.
struct ServerBooks {
    std::uint64_t messages = 0;
    std::uint64_t verified_bytes = 0;
    std::uint64_t corrupted = 0;
    std::uint64_t refused = 0;  // echoes that the endpoint had no room for
};

class LabServer {
  public:
    struct State {
        std::uint32_t number_plus_one;  // 0: no message has told it yet
        std::uint32_t next;             // sequence number expected
    };

    LabServer(const Pattern& pattern, ServerBooks& books) : pattern_(&pattern), books_(&books) {}

    template <class Socket>
    void on_message(Socket& ws, const Message& message) {
        State& state = ws.state();
        if (state.number_plus_one == 0)
            if (const auto number = Pattern::number_in(message)) state.number_plus_one = *number + 1;
        ++books_->messages;
        if (pattern_->matches(message, state.number_plus_one - 1, state.next++)) [[likely]]
            books_->verified_bytes += message.size();
        else
            ++books_->corrupted;
        if (ws.send(message) != SendStatus::kSent) [[unlikely]]
            ++books_->refused;
    }

  private:
    const Pattern* pattern_;
    ServerBooks* books_;
};

using ServerEndpoint = Endpoint<LabCarrier, LabServer, fanout::Feed>;

class ServerShard {
  public:
    static Expected<std::unique_ptr<ServerShard>> create(LabCarrier& carrier, const EndpointConfig& config,
                                                         const Pattern& pattern, std::uint64_t connections,
                                                         BareRing* ring,
                                                         std::shared_ptr<fanout::FeedGround> ground,
                                                         FanoutBoard* board);

    // One turn of the shard's loop.
    void iterate();

    // --- main thread ---
    Mailbox<Order>& mailbox() { return mailbox_; }
    const Report& report() const { return report_; }  // after Order::kReport
    const ServerBooks& reported_books() const { return reported_books_; }
    std::uint64_t publications_refused() const { return publisher_ ? publisher_->refused() : 0; }

  private:
    void obey(Order order);

    ServerShard(LabCarrier& carrier, std::uint64_t connections, BareRing* ring, FanoutBoard* board)
        : carrier_(carrier), connections_(connections), ring_(ring) {
        if (board != nullptr) publisher_.emplace(*board);
    }

    TscClock clock_;
    StallMeter<ThreadCpuTime> stalls_;
    LabCarrier& carrier_;
    const std::uint64_t connections_;  // that are expected
    std::unique_ptr<ServerEndpoint> endpoint_;
    ServerBooks books_;
    Report report_;
    ServerBooks reported_books_;
    Mailbox<Order> mailbox_;
    BareRing* ring_;  // null: this shard takes no part in the floor's ping-pong
    bool on_floor_ = false;
    std::optional<FanoutPublisher> publisher_;  // none: another shard publishes
    bool publishing_ = false;
};

}  // namespace millrace::bench
