#include "engine/http/date.h"

#include <fmt/format.h>

#include <array>
#include <chrono>

namespace millrace::http {

std::string_view format_date(std::int64_t unix_seconds, std::span<char, kDateSize> out) {
    constexpr std::array<const char*, 7> kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    constexpr std::array<const char*, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    using namespace std::chrono;
    const sys_seconds time{seconds{unix_seconds}};
    const sys_days day = floor<days>(time);
    const year_month_day date{day};
    const hh_mm_ss clock{time - day};
    const auto end = fmt::format_to_n(
        out.data(), out.size(), "{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", kDays[weekday{day}.c_encoding()],
        unsigned{date.day()}, kMonths[unsigned{date.month()} - 1], int{date.year()}, clock.hours().count(),
        clock.minutes().count(), clock.seconds().count());
    return {out.data(), std::min(end.size, out.size())};
}

void DateNow::renew(Time now) {
    using namespace std::chrono;
    const auto wall = system_clock::now();
    const auto second = floor<seconds>(wall);
    format_date(second.time_since_epoch().count(), text_);
    good_until_ = now + (second + seconds(1) - wall);
}

}  // namespace millrace::http
