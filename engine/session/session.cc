#include "engine/session/session.h"

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "engine/frame/header.h"

namespace millrace::ws {

static_assert(sizeof(Session) <= 16, "an idle connection is small");
static_assert(std::is_trivially_copyable_v<Session>, "it lives in a slab of zeroed pages");

void Session::open(Role role, bool deflate) {
    *this = Session();
    flags_ = deflate ? kAgreed : 0;
    mask_bit_ = role == Role::kServer ? 0x80 : 0;
}

void Session::release(SessionShared& shared) {
    if (state_ & kCarrying) give_carry_back(shared);
    state_ |= kOver;
}

std::size_t Session::next_batch(std::span<std::byte>& in, const SessionShared& shared,
                                SmallMessages& messages) {
    const std::size_t limit = std::min<std::size_t>(shared.max_message, 125);
    const auto bytes = in.first(messages.take(in, limit, role()));
    in = in.subspan(bytes.size());
    const std::size_t count = messages.size();
    // Where the headers were there are zeros: texts one after the other are UTF-8 if each is.
    if (messages.all_ascii() || messages.texts() == 0 || (messages.texts() == count && is_utf8(bytes)))
        return count;
    for (std::size_t i = 0; i < count; ++i)
        if (messages.opcode(i) == Opcode::kText && !is_utf8(messages.payload(i))) {
            state_ = kOver;
            flags_ |= kBadText;
            return i;
        }
    return count;
}

// One Step is filled in place, by whoever has one to yield: passing it up by value costs more than the rules.
Step Session::next_in_general(std::span<std::byte>& in, SessionShared& shared) {
    Step step;
    if (state_ & kCarryDone) give_carry_back(shared);
    if (flags_ & kBadText) {
        flags_ &= static_cast<std::uint8_t>(~kBadText);
        fail_text(step);
        return step;
    }
    if (state_ & kOver) in = {};  // sections 5.5.1 and 7.1.7: nothing is processed after a Close or a failure
    bool yields = false;
    while (!yields && !in.empty()) {
        yields = state_ & kInFrame    ? data_piece(in, step)
                 : state_ & kCarrying ? cut_frame(in, shared, step)
                                      : begin(in, shared, step);
    }
    return step;
}

// A frame that begins at the front of the input.
bool Session::begin(std::span<std::byte>& in, SessionShared& shared, Step& step) {
    const auto [status, header, why] = decode_header(in, role(), flags_ & kAgreed);
    if (status == HeaderStatus::kBad) return fail(step, CloseCode::kProtocolError, why);
    if (status == HeaderStatus::kNeedMore) return carry_over(in, shared, step);
    if (!is_control(header.opcode)) {
        in = in.subspan(header.size);
        return begin_data(header, in, shared, step);
    }
    const std::size_t whole = header.size + header.payload;
    if (in.size() < whole) return carry_over(in, shared, step);
    const auto payload = in.subspan(header.size, header.payload);
    in = in.subspan(whole);
    return control(header, payload, step);
}

// All that is left of the input is the beginning of a header or of a control frame.
bool Session::carry_over(std::span<std::byte>& in, SessionShared& shared, Step& step) {
    carry_ = shared.carries.take();
    if (carry_ == CarryPool::kNone)
        return fail(step, CloseCode::kTryAgainLater, "no memory to hold a frame cut between segments");
    state_ |= kCarrying;
    return cut_frame(in, shared, step);
}

// A frame whose beginning is in the carry: takes from the input what the carry lacks, first for the header,
// then for a control frame's payload. A data frame's payload stays in the input.
bool Session::cut_frame(std::span<std::byte>& in, SessionShared& shared, Step& step) {
    Carry& carry = shared.carries[carry_];
    for (;;) {
        const auto [status, header, why] = decode_header({carry.bytes, carry.size}, role(), flags_ & kAgreed);
        if (status == HeaderStatus::kBad) return fail(step, CloseCode::kProtocolError, why);
        std::size_t wanted = header.size;
        if (status == HeaderStatus::kComplete) {
            if (!is_control(header.opcode)) {
                give_carry_back(shared);
                return begin_data(header, in, shared, step);
            }
            wanted += header.payload;
            if (carry.size == wanted) {
                state_ |= kCarryDone;
                return control(header, {carry.bytes + header.size, header.payload}, step);
            }
        }
        if (in.empty()) return false;
        const std::size_t taken = std::min(wanted - carry.size, in.size());
        std::memcpy(carry.bytes + carry.size, in.data(), taken);
        carry.size = static_cast<std::uint8_t>(carry.size + taken);
        in = in.subspan(taken);
    }
}

// Section 5.4: a message is one frame with a data opcode and any number of continuations, and messages do not
// interleave.
bool Session::begin_data(const FrameHeader& header, std::span<std::byte>& in, SessionShared& shared,
                         Step& step) {
    if (header.opcode == Opcode::kContinuation) {
        if (!(state_ & kInMessage))
            return fail(step, CloseCode::kProtocolError, "continuation of no message (RFC 6455 section 5.4)");
    } else {
        if (state_ & kInMessage)
            return fail(step, CloseCode::kProtocolError,
                        "new message inside a message (RFC 6455 section 5.4)");
        state_ |= header.opcode == Opcode::kText ? kInMessage | kText : kInMessage;
        flags_ = static_cast<std::uint8_t>((flags_ & ~kCompressed) | (header.compressed ? kCompressed : 0));
        message_ = 0;  // utf8_ needs no reset: no text ends but between two characters
    }
    if (header.payload > shared.max_message - std::min(message_, shared.max_message))
        return fail(step, CloseCode::kMessageTooBig,
                    "message longer than the limit (RFC 6455 section 7.4.1)");
    remaining_ = static_cast<std::uint32_t>(header.payload);
    message_ += remaining_;
    key_ = header.key;
    if (header.fin) state_ |= kFinalFrame;
    if (remaining_ > 0) state_ |= kInFrame;
    return remaining_ == 0 && header.fin && data_piece(in, step);
}

bool Session::data_piece(std::span<std::byte>& in, Step& step) {
    const auto payload = in.first(std::min<std::size_t>(remaining_, in.size()));
    in = in.subspan(payload.size());
    remaining_ -= static_cast<std::uint32_t>(payload.size());
    if (remaining_ == 0) state_ &= static_cast<std::uint8_t>(~kInFrame);

    const bool text = state_ & kText;
    const bool compressed = flags_ & kCompressed;
    const bool first = !(state_ & kYielded);
    const bool last = remaining_ == 0 && (state_ & kFinalFrame);
    if (!unmask(payload, text && !compressed) || (last && !utf8_.complete())) return fail_text(step);
    state_ = last ? 0 : state_ | kYielded;
    step.kind = StepKind::kData;
    step.opcode = text ? Opcode::kText : Opcode::kBinary;
    step.first = first;
    step.last = last;
    step.compressed = compressed;
    step.payload = payload;
    return true;
}

// The next bytes of the current data frame; `text`: false if they are not UTF-8. A text is unmasked and
// looked at in stretches that stay in the first-level cache in between: 1.6 to 2.2 times as fast as two
// passes over 64 MiB.
bool Session::unmask(std::span<std::byte> payload, bool text) {
    constexpr std::size_t kStretch = 16 << 10;
    while (!payload.empty()) {
        const auto stretch = payload.first(text ? std::min(payload.size(), kStretch) : payload.size());
        if (mask_bit_) {
            apply_mask(stretch, key_);
            key_ = advance(key_, stretch.size());
        }
        if (text && !utf8_.feed(stretch)) return false;
        payload = payload.subspan(stretch.size());
    }
    return true;
}

// A whole control frame, its payload still masked.
bool Session::control(const FrameHeader& header, std::span<std::byte> payload, Step& step) {
    if (header.masked) apply_mask(payload, header.key);
    if (header.opcode == Opcode::kClose) return close(payload, step);
    step.kind = header.opcode == Opcode::kPing ? StepKind::kPing : StepKind::kPong;
    step.opcode = header.opcode;
    step.payload = payload;
    return true;
}

// Section 5.5.1 and 7.4: empty, or a code that may be sent and a reason in UTF-8.
bool Session::close(std::span<std::byte> payload, Step& step) {
    if (payload.size() == 1)
        return fail(step, CloseCode::kProtocolError, "Close frame with half a code (RFC 6455 section 5.5.1)");
    step.code = CloseCode::kNoStatus;
    if (!payload.empty()) {
        const auto code = static_cast<std::uint16_t>(std::to_integer<unsigned>(payload[0]) << 8 |
                                                     std::to_integer<unsigned>(payload[1]));
        if (!may_be_sent(code))
            return fail(step, CloseCode::kProtocolError,
                        "Close code that may not be sent (RFC 6455 section 7.4)");
        step.code = static_cast<CloseCode>(code);
        step.payload = payload.subspan(2);
        if (!is_utf8(step.payload)) return fail_text(step);
    }
    state_ |= kOver;
    flags_ |= kReceived;
    step.kind = StepKind::kClose;
    step.opcode = Opcode::kClose;
    return true;
}

bool Session::fail(Step& step, CloseCode code, const char* why) {
    state_ |= kOver;
    step = {.kind = StepKind::kFail, .code = code, .why = why};
    return true;
}

bool Session::fail_text(Step& step) {
    return fail(step, CloseCode::kInvalidPayload, "text that is not UTF-8 (RFC 6455 section 8.1)");
}

Step Session::text_failure() {
    Step step;
    fail_text(step);
    return step;
}

void Session::give_carry_back(SessionShared& shared) {
    shared.carries.give(carry_);
    state_ &= static_cast<std::uint8_t>(~(kCarrying | kCarryDone));
}

}  // namespace millrace::ws
