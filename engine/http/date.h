#pragma once
// The Date field (RFC 9110 section 5.6.7): IMF-fixdate, "Sun, 06 Nov 1994 08:49:37 GMT".

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "netstack/base/time.h"

namespace millrace::http {

inline constexpr std::size_t kDateSize = 29;

// Seconds since 1970 UTC, up to the year 9999.
std::string_view format_date(std::int64_t unix_seconds, std::span<char, kDateSize> out);

// The date of now, formatted when the second before is over.
class DateNow {
  public:
    // `now`: of the shard's clock.
    std::string_view at(Time now) {
        if (now >= good_until_) renew(now);
        return {text_.data(), text_.size()};
    }

  private:
    void renew(Time now);

    std::array<char, kDateSize> text_{};
    Time good_until_{};
};

}  // namespace millrace::http
