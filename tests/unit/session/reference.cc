#include "tests/unit/session/reference.h"

#include <cstring>

namespace millrace::ws::test {
namespace {

std::string_view as_text(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// RFC 3629, by decoding each character and looking at its number. -1: not UTF-8, else how many bytes at the
// end are the beginning of a character.
int utf8_remainder(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
        const unsigned lead = static_cast<unsigned char>(text[at]);
        const std::size_t length = lead < 0x80                   ? 1
                                   : lead >= 0xC0 && lead < 0xE0 ? 2
                                   : lead >= 0xE0 && lead < 0xF0 ? 3
                                   : lead >= 0xF0 && lead < 0xF8 ? 4
                                                                 : 0;
        if (length == 0) return -1;
        // With unseen tail bytes at their least and at their most, a beginning stands for a range of numbers.
        std::uint32_t low = length == 1 ? lead : lead & (0x7Fu >> length);
        std::uint32_t high = low;
        const std::size_t have = std::min(length, text.size() - at);
        for (std::size_t i = 1; i < length; ++i) {
            const unsigned tail = i < have ? static_cast<unsigned char>(text[at + i]) : 0;
            if (i < have && (tail & 0xC0) != 0x80) return -1;
            low = low << 6 | (i < have ? tail & 0x3F : 0);
            high = high << 6 | (i < have ? tail & 0x3F : 0x3F);
        }
        constexpr std::uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
        if (high < kLeast[length] || low > 0x10FFFF || (low >= 0xD800 && high <= 0xDFFF)) return -1;
        if (have < length) return static_cast<int>(have);
        at += length;
    }
    return 0;
}

std::string failure(int code) {
    return "fail(" + std::to_string(code) + ")";
}

}  // namespace

void append(std::vector<std::byte>& wire, const Frame& frame, Role to) {
    const auto put = [&wire](std::uint64_t value) { wire.push_back(static_cast<std::byte>(value)); };
    const bool masked = (to == Role::kServer) != frame.wrong_mask;
    const std::uint64_t length = frame.announced.value_or(frame.payload.size());
    const int form = frame.length_form ? frame.length_form : length < 126 ? 7 : length < 65536 ? 16 : 64;
    put((frame.fin ? 0x80u : 0u) | frame.rsv | frame.opcode);
    put((masked ? 0x80u : 0u) | (form == 7 ? length : form == 16 ? 126 : 127));
    if (form != 7)
        for (int shift = form - 8; shift >= 0; shift -= 8)
            put(length >> shift);
    if (masked)
        for (int i = 0; i < 4; ++i)
            put(frame.key >> (8 * i));
    for (std::size_t i = 0; i < frame.payload.size(); ++i)
        put(static_cast<unsigned char>(frame.payload[i]) ^ (masked ? frame.key >> (8 * (i % 4)) & 0xFF : 0));
}

std::vector<std::byte> wire_of(const std::vector<Frame>& frames, Role to) {
    std::vector<std::byte> wire;
    for (const Frame& frame : frames)
        append(wire, frame, to);
    return wire;
}

Events reference_decode(std::span<const std::byte> wire, Role role, std::uint32_t max_message, bool deflate) {
    Events events;
    std::size_t at = 0;
    const auto left = [&] { return wire.size() - at; };
    const auto octet = [&] { return std::to_integer<unsigned>(wire[at++]); };
    const auto end_with = [&](int code) {
        events.push_back(failure(code));
        return events;
    };

    unsigned message_opcode = 0;  // 0: not in a message
    std::uint64_t announced = 0;
    bool compressed = false;
    std::string message;
    while (left() > 0) {
        const unsigned first = octet();
        const bool fin = first & 0x80;
        const unsigned opcode = first & 0x0F;
        const bool control = opcode >= 8;
        if (first & 0x30) return end_with(1002);
        const bool rsv1 = first & 0x40;
        if (rsv1 && (!deflate || (opcode != 1 && opcode != 2))) return end_with(1002);
        if (opcode > 10 || (opcode > 2 && opcode < 8)) return end_with(1002);
        if (control && !fin) return end_with(1002);

        if (left() == 0) break;
        const unsigned second = octet();
        const bool masked = second & 0x80;
        if (masked != (role == Role::kServer)) return end_with(1002);
        std::uint64_t length = second & 0x7F;
        if (control && length > 125) return end_with(1002);
        if (length >= 126) {
            const std::size_t size = length == 126 ? 2 : 8;
            if (left() < size) break;
            length = 0;
            for (std::size_t i = 0; i < size; ++i)
                length = length * 256 + octet();
            if (length >= 1ull << 63) return end_with(1002);
            if (length < (size == 2 ? 126u : 65536u)) return end_with(1002);
        }
        unsigned key[4] = {};
        if (masked) {
            if (left() < 4) break;
            for (unsigned& k : key)
                k = octet();
        }

        if (!control) {
            if (opcode == 0 && message_opcode == 0) return end_with(1002);
            if (opcode != 0 && message_opcode != 0) return end_with(1002);
            if (opcode != 0) {
                message_opcode = opcode;
                compressed = rsv1;
                message.clear();
                announced = 0;
            }
            announced += length;
            if (announced > max_message) return end_with(1009);
        }
        std::string payload;
        for (std::uint64_t i = 0; i < length && left() > 0; ++i)
            payload += static_cast<char>(octet() ^ key[i % 4]);
        const bool whole = payload.size() == length;

        if (!control) {
            message += payload;
            const bool end = whole && fin;
            if (message_opcode == 1 && !compressed) {
                const int remainder = utf8_remainder(message);
                if (remainder < 0 || (end && remainder > 0)) return end_with(1007);
            }
            if (!whole) break;
            if (!end) continue;
            events.push_back((compressed ? "deflated " : "") +
                             std::string(message_opcode == 1 ? "text(" : "binary(") + message + ")");
            message_opcode = 0;
            continue;
        }
        if (!whole) break;
        if (opcode == 9) events.push_back("ping(" + payload + ")");
        if (opcode == 10) events.push_back("pong(" + payload + ")");
        if (opcode != 8) continue;
        if (payload.empty()) {
            events.push_back("close(1005,)");
            return events;
        }
        if (payload.size() == 1) return end_with(1002);
        const unsigned code =
            static_cast<unsigned char>(payload[0]) * 256u + static_cast<unsigned char>(payload[1]);
        const bool may_be = (code >= 1000 && code < 1015 && code != 1004 && code != 1005 && code != 1006) ||
                            (code >= 3000 && code < 5000);
        if (!may_be) return end_with(1002);
        if (utf8_remainder(std::string_view(payload).substr(2)) != 0) return end_with(1007);
        events.push_back("close(" + std::to_string(code) + "," + payload.substr(2) + ")");
        return events;
    }
    return events;
}

SessionRun::SessionRun(Role role, std::uint32_t max_message, CarryPool& carries, bool deflate)
    : carries_(carries),
      held_before_(carries.in_use()),
      shared_{.max_message = max_message, .carries = carries} {
    session_.open(role, deflate);
}

SessionRun::~SessionRun() {
    session_.release(shared_);
}

void SessionRun::feed(std::span<const std::byte> piece) {
    // Of exact size, so that the address sanitizer sees a read beyond.
    std::vector<std::byte> buffer(piece.begin(), piece.end());
    std::span<std::byte> in(buffer);
    for (;;) {
        // Mostly, and not at every place where one may be.
        if (session_.batch_ahead(in) && ++batches_ % 4 != 0 && take_batch(in)) continue;
        const std::size_t before = in.size();
        const Step step = session_.next(in, shared_);
        ++steps_;
        if (in.size() > before) faults_ += "the input has grown; ";
        if (step.kind == StepKind::kNeedMore) {
            if (!in.empty()) faults_ += "kNeedMore with input left; ";
            break;
        }
        take(step);
        if (!faults_.empty()) break;
    }
    if (carries_.in_use() > held_before_ + 1) faults_ += "more than one carry; ";
}

bool SessionRun::take_batch(std::span<std::byte>& in) {
    const std::byte* const from = in.data();
    const std::size_t before = in.size();
    SmallMessages messages;
    const std::size_t count = session_.next_batch(in, shared_, messages);
    if (count == 0) return false;
    ++steps_;
    if (in.size() >= before) faults_ += "a batch used nothing; ";
    for (std::size_t i = 0; i < count; ++i) {
        const auto payload = messages.payload(i);
        if (payload.data() < from || payload.data() + payload.size() > from + before)
            faults_ += "a batch's payload lies outside the input; ";
        take({.kind = StepKind::kData,
              .opcode = messages.opcode(i),
              .first = true,
              .last = true,
              .payload = payload});
    }
    return true;
}

void SessionRun::take(const Step& step) {
    if (over_) faults_ += "a step after the end; ";
    const std::string payload(as_text(step.payload));
    switch (step.kind) {
        case StepKind::kNeedMore:
            break;
        case StepKind::kData:
            take_data(step);
            break;
        case StepKind::kPing:
        case StepKind::kPong:
            if (payload.size() > 125) faults_ += "long control payload; ";
            events_.push_back((step.kind == StepKind::kPing ? "ping(" : "pong(") + payload + ")");
            break;
        case StepKind::kClose:
            over_ = true;
            if (!session_.close_was_received()) faults_ += "Close not remembered; ";
            events_.push_back("close(" + std::to_string(static_cast<int>(step.code)) + "," + payload + ")");
            break;
        case StepKind::kFail:
            over_ = true;
            if (std::string_view(step.why).empty()) faults_ += "failure without a reason; ";
            if (std::strlen(step.why) > 123) faults_ += "reason too long for a Close frame; ";
            events_.push_back(failure(static_cast<int>(step.code)));
            break;
    }
}

void SessionRun::take_data(const Step& step) {
    if (step.first == in_message_) faults_ += "wrong `first`; ";
    if (step.payload.empty() && !step.last) faults_ += "empty piece inside a message; ";
    if (!step.first && step.compressed != compressed_) faults_ += "`compressed` changes inside a message; ";
    compressed_ = step.compressed;
    if (step.first) message_.clear();
    message_ += as_text(step.payload);
    in_message_ = !step.last;
    if (!step.last) return;
    if (step.opcode != Opcode::kText && step.opcode != Opcode::kBinary) faults_ += "wrong opcode; ";
    events_.push_back((step.compressed ? "deflated " : "") +
                      std::string(step.opcode == Opcode::kText ? "text(" : "binary(") + message_ + ")");
}

}  // namespace millrace::ws::test
