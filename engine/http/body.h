#pragma once
// A request's content, read past: nothing here takes one, but what follows it on the connection is the next
// request, so its end must be found exactly (RFC 9112 sections 6.3 and 7.1). A wrong guess is how requests
// are smuggled, so that the chunks' syntax is as strict as a head's.

#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/http/message.h"

namespace millrace::http {

enum class BodyStatus : std::uint8_t {
    kMore,     // all input is used, and content is still to come
    kDone,     // the content has ended; what is left of the input is behind it
    kBad,      // not what its framing says: 400
    kTooLong,  // more than the limit: 413
};

// Small and trivial: it lives in a connection's slot while a body is read.
class BodyReader {
  public:
    // `limit` bounds what comes behind the head: content, and the chunks' framing with it.
    BodyStatus begin(const Body& body, std::uint32_t limit);
    // Advances `in` past what belongs to the content.
    BodyStatus skip(std::span<std::byte>& in);

  private:
    enum class State : std::uint8_t {
        kLength,       // remaining_ bytes to come
        kSize,         // chunk-size: its first digit,
        kSizeMore,     // the others,
        kExtension,    // chunk-ext,
        kSizeEnd,      // and the line feed
        kData,         // remaining_ bytes to come,
        kDataReturn,   // the carriage return
        kDataEnd,      // and the line feed behind them
        kTrailer,      // a trailer line or the empty line that ends it all
        kTrailerName,  // to the colon
        kTrailerValue,
        kTrailerEnd,
        kEnd,  // the last line feed
    };

    BodyStatus step(char c);
    BodyStatus size_digit(char c);
    BodyStatus expect(char c, char wanted, State next);

    std::uint32_t remaining_ = 0;
    std::uint32_t left_ = 0;  // of the limit
    State state_ = State::kLength;
};

}  // namespace millrace::http
