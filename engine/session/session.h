#pragma once
// One end of one WebSocket connection after the handshake (RFC 6455 sections 5 to 8): a state machine that
// takes received bytes and yields steps. It does no I/O, reads no clock and allocates nothing but a Carry
// from its shard's pool while a frame header or a control frame is cut between two buffers.
//
//     std::span<std::byte> in = bytes.bytes();
//     for (;;) {
//         const Step step = session.next(in, shared);   // advances `in`, unmasks in place
//         if (step.kind == StepKind::kNeedMore) break;  // `in` is empty
//         ...
//     }
//
// What to send in answer is the caller's: a kPing step asks for a Pong with the same payload, a kClose step
// for a Close echo, a kFail step for a Close with the step's code and then the end of the connection.

#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/frame/opcode.h"

namespace millrace::ws {

enum class StepKind : std::uint8_t {
    kNeedMore,  // all input is used
    kData,      // a piece of a message: `payload`, `opcode` (kText or kBinary), `first`, `last`
    kPing,      // `payload`, at most 125 bytes
    kPong,      // `payload`
    kClose,     // `code` (kNoStatus if none), `payload` is the reason, valid UTF-8; nothing follows
    kFail,      // the peer broke the protocol: fail the connection with `code`; nothing follows
};

struct Step {
    StepKind kind = StepKind::kNeedMore;
    Opcode opcode{};
    bool first = false;  // kData: this piece begins the message
    bool last = false;   // kData: this piece ends the message
    CloseCode code{};
    // Unmasked. It lies in the input, or (a control frame that was cut) in the session's Carry until the next
    // call of next(). May be empty.
    std::span<std::byte> payload;
    const char* why = "";  // kFail: a static sentence for the log and the Close reason, naming the rule
};

// What a frame cut between buffers leaves behind: a partial header or a partial control frame. It exists only
// while there is something to hold.
struct Carry {
    std::byte bytes[14 + 125];
    std::uint8_t size;
    std::uint32_t next_free;
};

class CarryPool;  // bounded free list of Carry by index, one a shard (engine/session/carry_pool.h)

// What all sessions of a shard have in common.
struct SessionShared {
    std::uint64_t max_message = 16u << 20;  // bytes; more is 1009 (RFC 6455 section 7.4.1)
    CarryPool& carries;
};

class Session {
  public:
    void open(Role role);
    // Gives a held Carry back; call it when the connection is over, whatever the reason.
    void release(SessionShared& shared);

    // The next step from `in`, which is advanced past what the step used. A message's data are yielded as
    // they lie in the input: a whole message in one buffer is one step with first and last set.
    Step next(std::span<std::byte>& in, SessionShared& shared);

    // The sending half (section 5.5.1, 7.1.2): data and pings may be sent until our Close frame has been.
    bool may_send() const;
    void close_sent();
    bool close_was_sent() const;
    bool close_was_received() const;
    Role role() const;

    // Fields are the implementation's; 32 bytes at rest (see static_assert in session.cc).
};

}  // namespace millrace::ws
