#pragma once
// A plain WebSocket sender and receiver to hold the session against: one octet at a time, whole messages,
// written from RFC 6455's sentences, with no thought of speed.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/frame/opcode.h"
#include "engine/session/session.h"

namespace millrace::ws::test {

// One frame as the test wants it on the wire, rightly or wrongly.
struct Frame {
    unsigned opcode = 1;
    std::string payload;
    bool fin = true;
    unsigned rsv = 0;                        // bits 0x40, 0x20, 0x10
    int length_form = 0;                     // 0: the shortest; else 7, 16 or 64 bits
    bool wrong_mask = false;                 // masked to a client, unmasked to a server
    std::optional<std::uint64_t> announced;  // a payload length other than the payload's
    std::uint32_t key = 0x5BC1'9E37;
};

void append(std::vector<std::byte>& wire, const Frame& frame, Role to);
std::vector<std::byte> wire_of(const std::vector<Frame>& frames, Role to);

// What a receiver makes of a stream, one line an event: "text(hello)", "binary(..)", "ping(..)", "pong(..)",
// "close(1000,bye)", "fail(1002)". Messages appear when they are whole; compressed ones (RFC 7692 section 6)
// as "deflated text(..)", with the octets that they have on the wire.
using Events = std::vector<std::string>;

Events reference_decode(std::span<const std::byte> wire, Role role, std::uint32_t max_message,
                        bool deflate = false);

// Runs a session over pieces of a stream, each in memory of its own, one by one and in batches, and writes
// down what it yields. It checks on the way what every stream must satisfy: `first` and `last` are right,
// control payloads fit, nothing follows the end, carries come back.
class SessionRun {
  public:
    SessionRun(Role role, std::uint32_t max_message, CarryPool& carries, bool deflate = false);
    ~SessionRun();
    void feed(std::span<const std::byte> piece);
    const Events& events() const { return events_; }
    const std::string& faults() const { return faults_; }  // empty, or what was broken
    Session& session() { return session_; }
    std::size_t steps() const { return steps_; }

  private:
    bool take_batch(std::span<std::byte>& in);
    void take(const Step& step);
    void take_data(const Step& step);

    Session session_;
    CarryPool& carries_;
    std::uint32_t held_before_;
    SessionShared shared_;
    Events events_;
    std::string message_;
    bool in_message_ = false;
    bool compressed_ = false;
    bool over_ = false;
    std::size_t steps_ = 0;
    unsigned batches_ = 0;
    std::string faults_;
};

}  // namespace millrace::ws::test
