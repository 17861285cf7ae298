#include "engine/http/body.h"

#include <algorithm>

#include "engine/http/chars.h"

namespace millrace::http {
namespace {

int hex_value(char c) {
    if (is_digit(c)) return c - '0';
    const char lower = to_lower(c);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

}  // namespace

BodyStatus BodyReader::begin(const Body& body, std::uint32_t limit) {
    left_ = limit;
    state_ = body.framing == BodyFraming::kChunked ? State::kSize : State::kLength;
    remaining_ = 0;
    if (state_ == State::kSize) return BodyStatus::kMore;
    if (body.length > limit) return BodyStatus::kTooLong;
    remaining_ = static_cast<std::uint32_t>(body.length);
    return remaining_ == 0 ? BodyStatus::kDone : BodyStatus::kMore;
}

BodyStatus BodyReader::skip(std::span<std::byte>& in) {
    while (!in.empty()) {
        if (state_ != State::kLength && state_ != State::kData) {
            if (left_-- == 0) return BodyStatus::kTooLong;
            const BodyStatus status = step(static_cast<char>(in[0]));
            in = in.subspan(1);
            if (status != BodyStatus::kMore) return status;
            continue;
        }
        if (remaining_ > left_) return BodyStatus::kTooLong;
        const auto part = static_cast<std::uint32_t>(std::min<std::size_t>(in.size(), remaining_));
        in = in.subspan(part);
        remaining_ -= part;
        left_ -= part;
        if (remaining_ != 0) continue;
        if (state_ == State::kLength) return BodyStatus::kDone;
        state_ = State::kDataReturn;
    }
    return BodyStatus::kMore;
}

BodyStatus BodyReader::expect(char c, char wanted, State next) {
    state_ = next;
    return c == wanted ? BodyStatus::kMore : BodyStatus::kBad;
}

BodyStatus BodyReader::size_digit(char c) {
    const std::uint64_t size = std::uint64_t{remaining_} * 16 + static_cast<unsigned>(hex_value(c));
    if (size > left_) return BodyStatus::kTooLong;
    remaining_ = static_cast<std::uint32_t>(size);
    state_ = State::kSizeMore;
    return BodyStatus::kMore;
}

// One octet of the framing.
BodyStatus BodyReader::step(char c) {
    switch (state_) {
        case State::kSize:
            remaining_ = 0;
            return hex_value(c) < 0 ? BodyStatus::kBad : size_digit(c);
        case State::kSizeMore:
            if (hex_value(c) >= 0) return size_digit(c);
            if (c == '\r') return expect(c, c, State::kSizeEnd);
            // chunk-ext, with the white space that a recipient must bear with (RFC 9112 section 7.1.1).
            state_ = State::kExtension;
            return c == ';' || is_space(c) ? BodyStatus::kMore : BodyStatus::kBad;
        case State::kExtension:
            if (c == '\r') return expect(c, c, State::kSizeEnd);
            return is_value_char(c) ? BodyStatus::kMore : BodyStatus::kBad;
        case State::kSizeEnd:
            return expect(c, '\n', remaining_ == 0 ? State::kTrailer : State::kData);
        case State::kDataReturn:
            return expect(c, '\r', State::kDataEnd);
        case State::kDataEnd:
            return expect(c, '\n', State::kSize);
        case State::kTrailer:
            if (c == '\r') return expect(c, c, State::kEnd);
            state_ = State::kTrailerName;
            return is_tchar(c) ? BodyStatus::kMore : BodyStatus::kBad;
        case State::kTrailerName:
            if (c == ':') return expect(c, c, State::kTrailerValue);
            return is_tchar(c) ? BodyStatus::kMore : BodyStatus::kBad;
        case State::kTrailerValue:
            if (c == '\r') return expect(c, c, State::kTrailerEnd);
            return is_value_char(c) ? BodyStatus::kMore : BodyStatus::kBad;
        case State::kTrailerEnd:
            return expect(c, '\n', State::kTrailer);
        case State::kEnd:
            return c == '\n' ? BodyStatus::kDone : BodyStatus::kBad;
        case State::kLength:
        case State::kData:
            break;
    }
    return BodyStatus::kBad;
}

}  // namespace millrace::http
