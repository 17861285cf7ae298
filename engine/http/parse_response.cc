#include "engine/http/chars.h"
#include "engine/http/head_reader.h"
#include "engine/http/message.h"

namespace millrace::http {
namespace {

// What is wrong with a response is said to the log; there is nobody to send a status to.
constexpr int kNoStatus = 0;

// status-code: three digits, of a class that exists (RFC 9110 section 15).
ParseResult read_status(Cursor& cursor, int& status) {
    status = 0;
    for (int digits = 0; digits < 3; ++digits) {
        if (cursor.left() == 0) return kIncompleteHead;
        const char c = *cursor.at;
        if (!is_digit(c) || (digits == 0 && (c < '1' || c > '5')))
            return bad(kNoStatus, "a malformed status code (RFC 9112 section 4)");
        status = status * 10 + (c - '0');
        ++cursor.at;
    }
    return kOk;
}

// [ SP reason-phrase ]. The space is mandatory for senders, but servers that have no reason to give leave it
// out, and nothing depends on it.
ParseResult read_reason(Cursor& cursor, std::string_view& reason) {
    if (cursor.left() == 0) return kIncompleteHead;
    reason = {};
    if (*cursor.at != ' ') return kOk;
    const char* const start = ++cursor.at;
    cursor.at = skip_value(start, cursor.end);
    reason = {start, static_cast<std::size_t>(cursor.at - start)};
    return kOk;
}

ParseResult read_status_line(Cursor& cursor, Response& out) {
    if (const auto version = read_version(cursor, out.minor_version); !version.complete()) return version;
    constexpr ParseResult kMalformed = bad(kNoStatus, "a malformed status line (RFC 9112 section 4)");
    if (const auto space = read_literal(cursor, " ", kMalformed); !space.complete()) return space;
    if (const auto status = read_status(cursor, out.status); !status.complete()) return status;
    if (const auto reason = read_reason(cursor, out.reason); !reason.complete()) return reason;
    return read_line_end(cursor);
}

ParseResult read_response(Cursor& cursor, Response& out) {
    if (const auto line = read_status_line(cursor, out); !line.complete()) return line;
    FramingFields framing;
    return read_fields(cursor, out.fields, [&](const Field& field) {
        return check_framing_field(field, out.minor_version, framing);
    });
}

}  // namespace

ParseResult parse_response(std::string_view bytes, Response& out, const Limits& limits) {
    out.fields.clear();
    Cursor cursor{bytes.data(), bytes.data() + std::min(bytes.size(), limits.head_bytes)};
    ParseResult result = read_response(cursor, out);
    out.head_bytes = static_cast<std::size_t>(cursor.at - bytes.data());
    if (result.status == ParseStatus::kIncomplete && bytes.size() >= limits.head_bytes)
        result = bad(kNoStatus, "the response head is longer than is accepted");
    result.http_status = kNoStatus;
    return result;
}

}  // namespace millrace::http
