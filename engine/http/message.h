#pragma once
// HTTP/1.1 message heads as values over the caller's bytes (RFC 9110, RFC 9112). Nothing is copied: every
// view points into the buffer that was parsed, or to a literal.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace millrace::http {

struct Field {
    std::string_view name;   // as received
    std::string_view value;  // without surrounding white space
};

// Bounds of a message head; each has its own status when it is passed.
struct Limits {
    std::size_t head_bytes = 16 * 1024;    // request line and all fields: 431
    std::size_t target_bytes = 8 * 1024;   // 414
    std::uint32_t body_bytes = 64 * 1024;  // content that is read past: 413
};

inline constexpr std::size_t kMaxFields = 100;  // 431

class Fields {
  public:
    bool add(Field field);  // false when full
    void clear() { count_ = 0; }
    std::span<const Field> all() const { return {fields_.data(), count_}; }
    // The value of the only line of that name (case-insensitive); empty optional when absent, and the first
    // one when there are several (use count() where that matters).
    std::optional<std::string_view> get(std::string_view name) const;
    std::size_t count(std::string_view name) const;
    // Whether any line of that name has `token` as a member of its comma-separated list, both compared
    // without case (RFC 9110 section 5.6.1, 7.6.1).
    bool has_token(std::string_view name, std::string_view token) const;

  private:
    std::array<Field, kMaxFields> fields_;
    std::size_t count_ = 0;
};

// How a request's content is delimited (RFC 9112 section 6.3).
enum class BodyFraming : std::uint8_t { kNone, kLength, kChunked };

struct Body {
    BodyFraming framing = BodyFraming::kNone;
    std::uint64_t length = 0;  // kLength
};

// Large, for its fields: keep one for each shard and parse every head into it.
struct Request {
    std::string_view method;
    std::string_view target;  // as received (RFC 9112 section 3.2: origin-form, absolute-form, ...)
    std::string_view path;    // of the target, without query; "*" for the server as a whole; "" for CONNECT
    std::string_view query;   // without '?'
    std::string_view host;    // host[:port] asked for: the target's if it has one, else the Host field's
    int minor_version = 1;    // HTTP/1.x
    Body body;
    Fields fields;
    std::size_t head_bytes = 0;  // length of the head, with the empty line
};

struct Response {
    int status = 0;
    std::string_view reason;
    int minor_version = 1;
    Fields fields;
    std::size_t head_bytes = 0;
};

enum class ParseStatus : std::uint8_t { kComplete, kIncomplete, kBad };

struct ParseResult {
    ParseStatus status = ParseStatus::kIncomplete;
    int http_status = 0;   // kBad request: what to answer (400, 414, 431, 501, 505)
    const char* why = "";  // kBad: a static sentence naming the rule
    constexpr bool complete() const { return status == ParseStatus::kComplete; }
};

// `bytes` is all that has been received of the message so far. Strict: bare LF, NUL, obs-fold, space before
// the colon, several Host, Content-Length with Transfer-Encoding and the like are kBad (RFC 9112). The
// verdict falls at the first byte that decides it: a head is bad as soon as its beginning cannot become a
// good one, and more bytes never change a verdict. `out` is meaningful when the result is kComplete.
ParseResult parse_request(std::string_view bytes, Request& out, const Limits& limits);
ParseResult parse_response(std::string_view bytes, Response& out, const Limits& limits);

bool equals_ignoring_case(std::string_view a, std::string_view b);

}  // namespace millrace::http
