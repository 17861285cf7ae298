#pragma once
// Writing message heads into the caller's buffer.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "engine/http/message.h"

namespace millrace::http {

// Appends to a span and remembers when it did not fit, or when a value would have broken out of its line
// (response splitting); finish() then returns 0.
class HeadWriter {
  public:
    explicit HeadWriter(std::span<char> out) : out_(out) {}

    void text(std::string_view text);  // as it is: literals and what has been checked
    void field(std::string_view name, std::string_view value);
    void field(std::string_view name, std::uint64_t value);
    void parameter(std::string_view name, std::uint64_t value);  // "; name=value"
    void status_line(int status);
    void fail() { failed_ = true; }
    // The empty line. Returns the head's length, or 0.
    std::size_t finish();

  private:
    std::span<char> out_;
    std::size_t used_ = 0;
    bool failed_ = false;
};

// The standard reason phrase (RFC 9110 section 15), "" for a status that has none.
std::string_view reason_phrase(int status);

// The head of an ordinary answer. Views that are empty leave their field out.
struct ResponseHead {
    int status = 200;
    // The content's length; for HEAD that of the content which GET would have (RFC 9110 section 8.6). It is
    // left out for statuses that have no content.
    std::uint64_t content_length = 0;
    std::string_view content_type;
    std::string_view date;  // of format_date()
    bool keep_alive = true;
    // The request's, since an HTTP/1.0 client must be told that the connection persists.
    int minor_version = 1;
    std::span<const Field> extra;
};

// Returns the head's length, or 0 when `out` is too small or a field is malformed.
std::size_t write_response(std::span<char> out, const ResponseHead& head);

}  // namespace millrace::http
