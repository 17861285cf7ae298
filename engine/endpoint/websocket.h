#pragma once
// A handler's view of one open WebSocket: two words, passed by reference to its callbacks. Copies stay
// valid until on_close; `id()` may be kept to find the connection again with Endpoint::socket().

#include <string_view>

#include "engine/endpoint/message.h"
#include "netstack/carrier.h"

namespace millrace {

enum class SendStatus : std::uint8_t {
    kSent,    // appended; it leaves with this poll's flush
    kFull,    // nothing was appended: the connection's send_limit is reached or memory is short; on_drain
              // follows, and until then every send() is answered so
    kClosed,  // the connection is closing: nothing can be sent any more
};

template <class EndpointType, class Handler>
class WebSocket {
  public:
    WebSocket(EndpointType& endpoint, net::ConnId id) : endpoint_(&endpoint), id_(id) {}

    // One message each; the bytes are copied (and masked, as a client) into the outgoing segment.
    SendStatus send(const Message& message) {
        return endpoint_->send(id_, message.opcode(), message.parts());
    }
    SendStatus send_text(std::string_view text) {
        return send_one(ws::Opcode::kText, std::as_bytes(std::span(text)));
    }
    SendStatus send_binary(std::span<const std::byte> bytes) { return send_one(ws::Opcode::kBinary, bytes); }
    // At most 125 bytes.
    SendStatus ping(std::span<const std::byte> payload = {}) { return send_one(ws::Opcode::kPing, payload); }

    // Whole frames, unmasked (server role only), of so many messages, and not compressed: one message,
    // encoded once by Endpoint::encode(), or several; by reference,
    template <class Shared>
    SendStatus send_shared(const Shared& frames, std::uint32_t messages = 1) {
        return endpoint_->send_shared(id_, frames, messages);
    }
    // or by copy.
    SendStatus send_encoded(std::span<const std::byte> frames, std::uint32_t messages) {
        return endpoint_->send_encoded(id_, frames, messages);
    }

    // No message comes until resume(), but for those that have been received; the peer is slowed by its
    // window.
    void pause() { endpoint_->carrier().pause(id_); }
    void resume() { endpoint_->carrier().resume(id_); }

    // Starts the closing handshake; on_close follows. `reason`: at most 123 bytes of UTF-8.
    void close(ws::CloseCode code = ws::CloseCode::kNormal, std::string_view reason = {}) {
        endpoint_->close(id_, code, reason);
    }
    // Ends the TCP connection at once; no on_close follows.
    void abort() { endpoint_->abort(id_); }

    net::ConnId id() const { return id_; }
    // Whom a trusted proxy speaks for, where there is one.
    net::SocketAddress peer() const { return endpoint_->peer(id_); }
    std::size_t unsent() const { return endpoint_->carrier().unsent(id_); }
    auto& state() { return endpoint_->template state<Handler>(id_); }

  private:
    SendStatus send_one(ws::Opcode opcode, std::span<const std::byte> bytes) {
        // The part is only read: Parts is mutable because received messages are.
        const std::span<std::byte> part(const_cast<std::byte*>(bytes.data()), bytes.size());
        return endpoint_->send(id_, opcode, Parts(&part, 1));
    }

    EndpointType* endpoint_;
    net::ConnId id_;
};

}  // namespace millrace
