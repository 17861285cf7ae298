#include "engine/http/chars.h"
#include "engine/http/head_reader.h"
#include "engine/http/message.h"
#include "engine/http/name.h"
#include "engine/http/target.h"

namespace millrace::http {
namespace {

// A server should ignore at least one empty line before the request line (RFC 9112 section 2.2).
constexpr int kMostEmptyLines = 4;
// No method known to IANA is longer than 16; 501 is what RFC 9112 section 3 recommends for a longer one.
constexpr std::size_t kLongestMethod = 32;

ParseResult skip_empty_lines(Cursor& cursor) {
    for (int lines = 0; cursor.left() > 0 && *cursor.at == '\r'; ++lines) {
        if (lines == kMostEmptyLines)
            return bad(400, "too many empty lines before the request (RFC 9112 section 2.2)");
        if (const ParseResult end = read_line_end(cursor); !end.complete()) return end;
    }
    return kOk;
}

ParseResult explain_bad_method(char c) {
    if (c == '\x16') return bad(400, "a TLS handshake on a port that speaks plain HTTP");
    if (c == '\n') return bad(400, explain_byte(c));
    return bad(400, "not an HTTP request (RFC 9112 section 3)");
}

ParseResult read_method(Cursor& cursor, std::string_view& method) {
    const char* const start = cursor.at;
    const char* const limit = start + std::min(cursor.left(), kLongestMethod + 1);
    while (cursor.at < limit && is_tchar(*cursor.at))
        ++cursor.at;
    method = {start, static_cast<std::size_t>(cursor.at - start)};
    if (method.size() > kLongestMethod)
        return bad(501, "a method longer than any that exists (RFC 9112 section 3)");
    if (cursor.at == cursor.end) return kIncompleteHead;
    if (*cursor.at != ' ' || method.empty()) return explain_bad_method(*cursor.at);
    ++cursor.at;
    return kOk;
}

ParseResult read_target(Cursor& cursor, std::string_view& target, std::size_t most) {
    const char* const start = cursor.at;
    const char* const limit = cursor.left() > most ? start + most + 1 : cursor.end;
    cursor.at = skip_target(start, limit);
    target = {start, static_cast<std::size_t>(cursor.at - start)};
    if (target.size() > most) return bad(414, "the request target is longer than is accepted");
    if (cursor.at == cursor.end) return kIncompleteHead;
    if (*cursor.at != ' ' || target.empty())
        return bad(400, "a malformed request target (RFC 9112 section 3.2)");
    ++cursor.at;
    return kOk;
}

ParseResult read_request_line(Cursor& cursor, Request& out, const Limits& limits) {
    if (const auto empty = skip_empty_lines(cursor); !empty.complete()) return empty;
    if (const auto method = read_method(cursor, out.method); !method.complete()) return method;
    if (const auto target = read_target(cursor, out.target, limits.target_bytes); !target.complete())
        return target;
    if (const auto version = read_version(cursor, out.minor_version); !version.complete()) return version;
    if (const auto end = read_line_end(cursor); !end.complete()) return end;
    const char* const why = split_target(out);
    return why == nullptr ? kOk : bad(400, why);
}

ParseResult check_host(std::string_view value, int seen) {
    if (seen > 1) return bad(400, "several Host (RFC 9112 section 3.2)");
    return is_host(value) ? kOk : bad(400, "Host is not a host (RFC 9112 section 3.2)");
}

ParseResult read_request(Cursor& cursor, Request& out, const Limits& limits) {
    if (const auto line = read_request_line(cursor, out, limits); !line.complete()) return line;
    std::string_view host;
    int hosts = 0;
    FramingFields framing;
    const ParseResult fields = read_fields(cursor, out.fields, [&](const Field& field) {
        if (is_name(field.name, "host")) return check_host(host = field.value, ++hosts);
        return check_framing_field(field, out.minor_version, framing);
    });
    if (!fields.complete()) return fields;
    if (hosts == 0 && out.minor_version > 0) return bad(400, "no Host (RFC 9112 section 3.2)");
    // The target's authority prevails over Host (RFC 9112 section 3.2.2).
    if (out.host.empty()) out.host = host;
    out.body = framing.body;
    return kOk;
}

}  // namespace

ParseResult parse_request(std::string_view bytes, Request& out, const Limits& limits) {
    out.host = {};
    out.fields.clear();
    Cursor cursor{bytes.data(), bytes.data() + std::min(bytes.size(), limits.head_bytes)};
    const ParseResult result = read_request(cursor, out, limits);
    out.head_bytes = static_cast<std::size_t>(cursor.at - bytes.data());
    if (result.status == ParseStatus::kIncomplete && bytes.size() >= limits.head_bytes)
        return bad(431, "the request head is longer than is accepted");
    return result;
}

}  // namespace millrace::http
