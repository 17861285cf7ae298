#pragma once
// What request and response heads have in common: lines, field lines, and the fields that frame the content.
// Every function consumes input in order and decides at the first byte that leaves no choice, which is why a
// prefix of a head never gets another verdict than the head.

#include <algorithm>
#include <cstring>
#include <string_view>

#include "engine/http/chars.h"
#include "engine/http/message.h"
#include "engine/http/scan.h"

namespace millrace::http {

inline constexpr ParseResult kIncompleteHead{ParseStatus::kIncomplete, 0, ""};
inline constexpr ParseResult kOk{ParseStatus::kComplete, 0, ""};

constexpr ParseResult bad(int http_status, const char* why) {
    return {ParseStatus::kBad, http_status, why};
}

struct Cursor {
    const char* at;
    const char* end;
    std::size_t left() const { return static_cast<std::size_t>(end - at); }
};

// Why a byte cannot stand where a line is expected to go on or to end.
const char* explain_byte(char c);

// A CRLF. Both octets are required: a bare CR or LF is how requests are smuggled (RFC 9112 section 2.2).
inline ParseResult read_line_end(Cursor& cursor) {
    if (cursor.left() >= 2 && cursor.at[0] == '\r' && cursor.at[1] == '\n') {
        cursor.at += 2;
        return kOk;
    }
    if (cursor.left() == 0) return kIncompleteHead;
    if (*cursor.at != '\r') return bad(400, explain_byte(*cursor.at));
    if (cursor.left() == 1) return kIncompleteHead;
    return bad(400, "a bare carriage return (RFC 9112 section 2.2)");
}

inline ParseResult read_literal(Cursor& cursor, std::string_view literal, ParseResult otherwise) {
    if (cursor.left() == 0) return kIncompleteHead;
    const std::size_t size = std::min(cursor.left(), literal.size());
    if (std::memcmp(cursor.at, literal.data(), size) != 0) return otherwise;
    if (size < literal.size()) return kIncompleteHead;
    cursor.at += size;
    return kOk;
}

// HTTP-version (RFC 9112 section 2.3), any minor version of major version 1.
ParseResult read_version(Cursor& cursor, int& minor_version);

// Content-Length and Transfer-Encoding (RFC 9112 section 6).
struct FramingFields {
    Body body;
    bool has_length = false;
    bool has_encoding = false;
};
ParseResult check_framing_field(const Field& field, int minor_version, FramingFields& framing);

ParseResult explain_bad_name(const char* line, const char* stop);

// Field lines up to and with the empty line. `check` is asked about each (kComplete lets it pass).
template <class Check>
inline ParseResult read_fields(Cursor& cursor, Fields& fields, Check check) {
    for (;;) {
        const char* const line = cursor.at;
        if (line == cursor.end) return kIncompleteHead;
        if (*line == '\r') return read_line_end(cursor);

        const char* const colon = skip_token(line, cursor.end);
        if (colon == cursor.end) return kIncompleteHead;
        if (*colon != ':' || colon == line) return explain_bad_name(line, colon);

        const char* value = colon + 1;
        while (value < cursor.end && is_space(*value))
            ++value;
        cursor.at = skip_value(value, cursor.end);
        const char* value_end = cursor.at;
        if (const ParseResult end = read_line_end(cursor); !end.complete()) return end;
        while (value_end > value && is_space(value_end[-1]))
            --value_end;

        const Field field{{line, static_cast<std::size_t>(colon - line)},
                          {value, static_cast<std::size_t>(value_end - value)}};
        if (!fields.add(field)) return bad(431, "more header lines than are accepted");
        if (const ParseResult checked = check(field); !checked.complete()) return checked;
    }
}

}  // namespace millrace::http
