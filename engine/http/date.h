#pragma once
// The Date field (RFC 9110 section 5.6.7): IMF-fixdate, "Sun, 06 Nov 1994 08:49:37 GMT".

#include <cstdint>
#include <span>
#include <string_view>

namespace millrace::http {

inline constexpr std::size_t kDateSize = 29;

// Seconds since 1970 UTC, up to the year 9999. A shard formats it once a second, not once an answer.
std::string_view format_date(std::int64_t unix_seconds, std::span<char, kDateSize> out);

}  // namespace millrace::http
