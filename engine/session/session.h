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
#include <cstring>
#include <span>

#include "engine/frame/opcode.h"
#include "engine/frame/small_frames.h"
#include "engine/mask/mask.h"
#include "engine/session/carry_pool.h"
#include "engine/utf8/utf8.h"

namespace millrace::ws {

struct FrameHeader;

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
    // kData: the message is compressed (RFC 7692 section 6), its pieces are DEFLATE data and, of a text, have
    // yet to be found UTF-8.
    bool compressed = false;
    CloseCode code{};
    // Unmasked. It lies in the input, or (a control frame that was cut) in the session's Carry until the next
    // call of next() or release(). Only a message's last piece may be empty.
    std::span<std::byte> payload;
    const char* why = "";  // kFail: a static sentence for the log and the Close reason, naming the rule
};

// What all sessions of a shard have in common.
struct SessionShared {
    std::uint32_t max_message = 16u << 20;  // bytes; more is 1009 (RFC 6455 section 7.4.1)
    CarryPool& carries;
};

class Session {
  public:
    // `deflate`: the handshake agreed on permessage-deflate.
    void open(Role role, bool deflate = false);
    // Gives a held Carry back; call it when the connection is over, whatever the reason.
    void release(SessionShared& shared);

    // The next step from `in`, which is advanced past what the step used. A message's data are yielded as
    // they lie in the input: a whole message in one buffer is one step with first and last set. After kClose
    // and kFail whatever comes is discarded.
    Step next(std::span<std::byte>& in, SessionShared& shared) {
        if (state_ == 0 && in.size() >= 2) [[likely]] {
            const auto first = std::to_integer<unsigned>(in[0]);
            // Any length below 126 if the mask bit is right for our role, and above 125 if it is not.
            const std::size_t size = std::to_integer<unsigned>(in[1]) ^ mask_bit_;
            const std::size_t header = 2 + (mask_bit_ >> 5);
            if (is_whole_message(first) && size < 126 && header + size <= in.size() &&
                size <= shared.max_message) [[likely]]
                return small_message(in, static_cast<Opcode>(first & 0x0f), header, size);
        }
        return next_in_general(in, shared);
    }

    // Whether next_batch() may be worth it: a small message and something behind it. A client's binary
    // messages need nothing that would depend on their sizes, and are faster one by one.
    bool batch_ahead(std::span<const std::byte> in) const {
        if (state_ != 0 || in.size() < 2) return false;
        const auto first = std::to_integer<unsigned>(in[0]);
        const std::size_t size = std::to_integer<unsigned>(in[1]) ^ mask_bit_;
        const std::size_t header = 2 + (mask_bit_ >> 5);
        return is_whole_message(first) && (mask_bit_ || (first & 1)) && size < 126 &&
               in.size() > header + size;
    }
    // The messages at the front of `in`, as far as each is whole in one small frame, unmasked and checked as
    // next() does it one by one, at less cost; `in` is advanced past them. Returns how many of `messages`
    // there are; when none, next() has to look.
    std::size_t next_batch(std::span<std::byte>& in, const SessionShared& shared, SmallMessages& messages);

    // The sending half (section 5.5.1, 7.1.2): data and pings may be sent until our Close frame has been.
    bool may_send() const { return !(flags_ & kSent); }
    void close_sent() { flags_ |= kSent; }
    bool close_was_sent() const { return flags_ & kSent; }
    bool close_was_received() const { return flags_ & kReceived; }
    // A frame or a message has begun, and its end has not come.
    bool under_way() const { return state_ != 0; }
    Role role() const { return mask_bit_ ? Role::kServer : Role::kClient; }

  private:
    // state_: none of them between messages, with nothing held back.
    enum : std::uint8_t {
        kOver = 1,         // after kClose and kFail
        kCarrying = 2,     // carry_ is ours and holds a frame's beginning
        kCarryDone = 4,    // its payload was yielded: it goes back at the next call
        kInMessage = 8,    // a data frame has begun a message which is not at its end
        kText = 16,        // of the message
        kYielded = 32,     // a piece of the message was yielded
        kFinalFrame = 64,  // the current data frame ends the message
        kInFrame = 128,    // bytes of the current data frame's payload are due: remaining_
    };
    // flags_.
    enum : std::uint8_t {
        kSent = 1,        // our Close
        kReceived = 2,    // the peer's
        kBadText = 4,     // a batch ended before a text that next() has yet to fail
        kAgreed = 8,      // permessage-deflate
        kCompressed = 16  // the current message is
    };

    // FIN with kText or kBinary, no reserved bit.
    static bool is_whole_message(unsigned first_byte) { return first_byte - 0x81 < 2; }

    // The common case: a whole message in one small frame that lies wholly in the input.
    Step small_message(std::span<std::byte>& in, Opcode opcode, std::size_t header, std::size_t size) {
        const auto payload = in.subspan(header, size);
        bool known_ascii = false;
        if (mask_bit_) {
            MaskKey key;
            std::memcpy(&key, &in[2], sizeof key);
            known_ascii = apply_mask_seeing_ascii(payload, key);
        }
        in = in.subspan(header + size);
        if (opcode == Opcode::kText && !known_ascii && !is_utf8(payload)) [[unlikely]]
            return text_failure();
        return {.kind = StepKind::kData, .opcode = opcode, .first = true, .last = true, .payload = payload};
    }

    // Each of these fills `step` and says true when there is one to yield.
    bool begin(std::span<std::byte>& in, SessionShared& shared, Step& step);
    bool carry_over(std::span<std::byte>& in, SessionShared& shared, Step& step);
    bool cut_frame(std::span<std::byte>& in, SessionShared& shared, Step& step);
    bool begin_data(const FrameHeader& header, std::span<std::byte>& in, SessionShared& shared, Step& step);
    bool data_piece(std::span<std::byte>& in, Step& step);
    bool unmask(std::span<std::byte> payload, bool text);
    bool control(const FrameHeader& header, std::span<std::byte> payload, Step& step);
    bool close(std::span<std::byte> payload, Step& step);
    bool fail(Step& step, CloseCode code, const char* why);
    bool fail_text(Step& step);
    Step text_failure();

    Step next_in_general(std::span<std::byte>& in, SessionShared& shared);
    void give_carry_back(SessionShared& shared);

    std::uint32_t remaining_ = 0;  // payload bytes of the current data frame still to come
    std::uint32_t message_ = 0;    // payload bytes of the current message that its headers have announced
    union {
        MaskKey key_ = 0;         // kInFrame: of the current data frame, as it stands at its next byte
        CarryPool::Index carry_;  // kCarrying, which no data frame under way is
    };
    Utf8Validator utf8_;         // of the current text message
    std::uint8_t mask_bit_ = 0;  // 0x80 where the peer must mask (we are the server), else 0
    std::uint8_t state_ = 0;
    std::uint8_t flags_ = 0;
};

}  // namespace millrace::ws
