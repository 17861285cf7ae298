#pragma once
// The hub's outlet over an endpoint. A connection is given what its TCP can take soon and no more: the rest
// stays in the log, where it costs nothing and can still be conflated or left out.

#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/endpoint/websocket.h"
#include "engine/fanout/hub.h"
#include "engine/frame/header.h"

namespace millrace::fanout {

inline constexpr std::size_t kMostUnsent = 16 * 1024;  // bytes of a connection, one long batch apart

template <class EndpointType, class Handler>
class EndpointOutlet {
  public:
    struct Batch {
        std::span<const std::byte> frames;
        typename EndpointType::Shared shared;  // empty: they are copied
        std::uint32_t messages;
    };

    explicit EndpointOutlet(EndpointType& endpoint) : endpoint_(endpoint) {}

    // Short ones are copied into the segment that is under way, which is cheaper than a reference.
    Batch batch(std::span<const std::byte> frames, std::uint32_t messages) {
        constexpr std::size_t kCopied = 256;
        Batch batch{frames, {}, messages};
        if (frames.size() > kCopied) batch.shared = endpoint_.carrier().make_shared(frames);
        return batch;
    }
    bool pressed() const { return endpoint_.carrier().under_pressure(); }
    Sent send(std::uint32_t connection, const Batch& batch) {
        if (is_full(connection)) return Sent::kFull;
        return batch.shared ? sent(socket(connection).send_shared(batch.shared, batch.messages))
                            : sent(socket(connection).send_encoded(batch.frames, batch.messages));
    }
    Sent send(std::uint32_t connection, std::span<const std::byte> frames, std::uint32_t messages) {
        if (is_full(connection)) return Sent::kFull;
        return sent(socket(connection).send_encoded(frames, messages));
    }

    bool has_room(std::uint32_t connection) {
        return endpoint_.carrier().unsent(net::ConnId{connection}) < kMostUnsent / 2 && !pressed();
    }

    // RFC 6455 section 7.4.1 has 1008 for a policy that the peer is beyond, IANA's registry 1013 for "try
    // again later".
    void disconnect(std::uint32_t connection, TooSlow why) {
        if (why == TooSlow::kBeyondLimit)
            socket(connection)
                .close(ws::CloseCode::kPolicyViolation, "too slow: further behind than the limit");
        else
            socket(connection)
                .close(ws::CloseCode::kTryAgainLater, "too slow: what comes next is no longer kept");
    }

    void prefetch(std::uint32_t connection) { endpoint_.prefetch(net::ConnId{connection}); }

  private:
    auto socket(std::uint32_t connection) {
        return endpoint_.template socket<Handler>(net::ConnId{connection});
    }
    // Looked at here, since an endpoint that has refused a send refuses all more until on_drain.
    bool is_full(std::uint32_t connection) {
        return endpoint_.carrier().unsent(net::ConnId{connection}) >= kMostUnsent || pressed();
    }
    static Sent sent(SendStatus status) {
        return status == SendStatus::kSent   ? Sent::kSent
               : status == SendStatus::kFull ? Sent::kFull
                                             : Sent::kGone;
    }

    EndpointType& endpoint_;
};

}  // namespace millrace::fanout
