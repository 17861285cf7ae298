#include "engine/http/head_reader.h"

#include <charconv>

#include "engine/http/list.h"
#include "engine/http/name.h"

namespace millrace::http {
namespace {

ParseResult check_content_length(std::string_view value, FramingFields& framing) {
    // One plain number: the list form "5, 5" may be refused (RFC 9110 section 8.6), and is.
    std::uint64_t length = 0;
    for (const char c : value)
        if (!is_digit(c)) return bad(400, "Content-Length is not a number (RFC 9110 section 8.6)");
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), length);
    if (error != std::errc{})
        return bad(400, "Content-Length is not a number within range (RFC 9110 section 8.6)");
    if (framing.has_length && framing.body.length != length)
        return bad(400, "several Content-Length that differ (RFC 9112 section 6.3)");
    framing.has_length = true;
    framing.body = {BodyFraming::kLength, length};
    return kOk;
}

ParseResult check_transfer_encoding(std::string_view value, int minor_version, FramingFields& framing) {
    if (minor_version == 0) return bad(400, "Transfer-Encoding in HTTP/1.0 (RFC 9112 section 6.1)");
    ListReader codings(value);
    int chunked = 0;
    for (std::string_view coding; codings.next(coding); ++chunked)
        if (!equals_ignoring_case(coding, "chunked"))
            return bad(501, "a transfer coding other than chunked (RFC 9112 section 6.1)");
    if (chunked != 1 || framing.has_encoding)
        return bad(400, "chunked must be applied exactly once (RFC 9112 section 6.1)");
    framing.has_encoding = true;
    framing.body = {BodyFraming::kChunked, 0};
    return kOk;
}

}  // namespace

const char* explain_byte(char c) {
    if (c == '\n') return "a bare line feed (RFC 9112 section 2.2)";
    if (c == '\0') return "a NUL (RFC 9110 section 5.5)";
    return "a character that is not allowed here (RFC 9112 sections 3 and 5)";
}

ParseResult explain_bad_name(const char* line, const char* stop) {
    if (stop == line && is_space(*stop)) return bad(400, "a folded header line (RFC 9112 section 5.2)");
    if (is_space(*stop)) return bad(400, "white space between field name and colon (RFC 9112 section 5.1)");
    if (*stop == ':') return bad(400, "a header line without a name (RFC 9112 section 5)");
    return bad(400, explain_byte(*stop));
}

ParseResult read_version(Cursor& cursor, int& minor_version) {
    constexpr ParseResult kNotHttp = bad(400, "not an HTTP version (RFC 9112 section 2.3)");
    if (const auto name = read_literal(cursor, "HTTP/", kNotHttp); !name.complete()) return name;
    if (cursor.left() == 0) return kIncompleteHead;
    if (!is_digit(*cursor.at)) return kNotHttp;
    if (*cursor.at != '1') return bad(505, "HTTP/1.1 is spoken here (RFC 9110 section 15.6.6)");
    if (const auto major = read_literal(cursor, "1.", kNotHttp); !major.complete()) return major;
    if (cursor.left() == 0) return kIncompleteHead;
    if (!is_digit(*cursor.at)) return kNotHttp;
    minor_version = *cursor.at++ - '0';
    return kOk;
}

ParseResult check_framing_field(const Field& field, int minor_version, FramingFields& framing) {
    ParseResult result = kOk;
    if (is_name(field.name, "content-length"))
        result = check_content_length(field.value, framing);
    else if (is_name(field.name, "transfer-encoding"))
        result = check_transfer_encoding(field.value, minor_version, framing);
    if (result.complete() && framing.has_length && framing.has_encoding)
        return bad(400, "Content-Length with Transfer-Encoding (RFC 9112 section 6.1)");
    return result;
}

}  // namespace millrace::http
