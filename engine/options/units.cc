#include "engine/options/units.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <numeric>
#include <optional>
#include <span>

namespace millrace {
namespace {

struct Unit {
    std::string_view name;
    std::uint64_t size;
};

constexpr std::array kCountUnits{Unit{"", 1}, Unit{"k", 1'000}, Unit{"m", 1'000'000},
                                 Unit{"g", 1'000'000'000}};

// The micro sign is U+00B5; keyboards and tools also produce the Greek letter, U+03BC.
constexpr std::array kDurationUnits{Unit{"ns", 1},
                                    Unit{"us", 1'000},
                                    Unit{"\u00b5s", 1'000},
                                    Unit{"\u03bcs", 1'000},
                                    Unit{"ms", 1'000'000},
                                    Unit{"s", 1'000'000'000},
                                    Unit{"m", 60'000'000'000},
                                    Unit{"min", 60'000'000'000},
                                    Unit{"h", 3'600'000'000'000}};

constexpr std::uint64_t kKi = 1024;
constexpr std::array kByteUnits{
    Unit{"", 1},
    Unit{"b", 1},
    Unit{"k", kKi},
    Unit{"kib", kKi},
    Unit{"kb", 1'000},
    Unit{"m", kKi* kKi},
    Unit{"mib", kKi* kKi},
    Unit{"mb", 1'000'000},
    Unit{"g", kKi* kKi* kKi},
    Unit{"gib", kKi* kKi* kKi},
    Unit{"gb", 1'000'000'000},
    Unit{"t", kKi* kKi* kKi* kKi},
    Unit{"tib", kKi* kKi* kKi* kKi},
    Unit{"tb", 1'000'000'000'000},
};

constexpr int kMostDecimals = 18;  // 10^18 is the largest power of ten that fits

// What an Error says about a kind of quantity, and how it is read.
struct Kind {
    std::string_view name;      // "a count"
    std::string_view examples;  // "2500, 10k or 1m"
    std::string_view grain;     // "one": nothing is finer
    std::span<const Unit> units;
    bool ignore_case;
    std::uint64_t most;
};

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return out;
}

const Unit* find_unit(std::string_view name, const Kind& kind) {
    const std::string wanted = kind.ignore_case ? lower(name) : std::string(name);
    for (const Unit& unit : kind.units)
        if (unit.name == wanted) return &unit;
    return nullptr;
}

// Takes leading digits off `text`; nullopt when their value does not fit in 64 bits.
std::optional<std::uint64_t> take_digits(std::string_view& text) {
    std::uint64_t value = 0;
    bool fits = true;
    while (!text.empty() && is_digit(text.front())) {
        fits = fits && !__builtin_mul_overflow(value, std::uint64_t{10}, &value) &&
               !__builtin_add_overflow(value, static_cast<std::uint64_t>(text.front() - '0'), &value);
        text.remove_prefix(1);
    }
    return fits ? std::optional(value) : std::nullopt;
}

// `digits` (the decimals of a fraction, d of them) times `size` over 10^d, if that is whole. Reducing by the
// common divisor first keeps every intermediate value below `size`.
std::optional<std::uint64_t> scale_fraction(std::string_view digits, std::uint64_t size) {
    while (!digits.empty() && digits.back() == '0')
        digits.remove_suffix(1);
    if (digits.size() > kMostDecimals) return std::nullopt;
    std::uint64_t power = 1;
    for (std::size_t i = 0; i < digits.size(); ++i)
        power *= 10;
    const std::uint64_t fraction = take_digits(digits).value_or(0);
    const std::uint64_t common = std::gcd(power, size);
    if (fraction % (power / common) != 0) return std::nullopt;
    return fraction / (power / common) * (size / common);
}

Expected<std::uint64_t> parse(std::string_view text, const Kind& kind) {
    const auto refuse = [&](std::string_view why) {
        return fail(fmt::format("'{}' is not {}{}: write it as {}", text, kind.name, why, kind.examples));
    };
    std::string_view rest = text;
    if (rest.empty() || !is_digit(rest.front())) return refuse("");
    const std::optional<std::uint64_t> whole = take_digits(rest);
    std::string_view decimals;
    if (rest.starts_with('.')) {
        rest.remove_prefix(1);
        const std::size_t length =
            static_cast<std::size_t>(std::find_if_not(rest.begin(), rest.end(), is_digit) - rest.begin());
        if (length == 0) return refuse("");
        decimals = rest.substr(0, length);
        rest.remove_prefix(length);
    }
    const Unit* unit = find_unit(rest, kind);
    const bool zero = whole == 0 && decimals.empty() && rest.empty();
    if (zero) return std::uint64_t{0};
    if (unit == nullptr) return refuse(rest.empty() ? " (its unit is missing)" : "");

    const std::optional<std::uint64_t> fraction = scale_fraction(decimals, unit->size);
    if (!fraction) return refuse(fmt::format(" (it is finer than {})", kind.grain));
    std::uint64_t value = 0;
    if (!whole || __builtin_mul_overflow(*whole, unit->size, &value) ||
        __builtin_add_overflow(value, *fraction, &value) || value > kind.most)
        return refuse(" (it is too large)");
    return value;
}

// Three significant digits, without trailing zeros: 1.25, 12.5, 125, 1250 (bytes reach 1023).
std::string three_digits(double value) {
    const int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
    std::string out = fmt::format("{:.{}f}", value, decimals);
    if (decimals > 0) {
        out.erase(out.find_last_not_of('0') + 1);
        if (out.back() == '.') out.pop_back();
    }
    return out;
}

// Divides `value` by `step` while it would print as `step` or more; returns how often, at most `most` times.
std::size_t scale_down(double& value, double step, std::size_t most) {
    std::size_t times = 0;
    while (times < most && value >= step - 0.5) {
        value /= step;
        ++times;
    }
    return times;
}

}  // namespace

Expected<std::uint64_t> parse_count(std::string_view text) {
    return parse(text, {"a count", "2500, 10k or 1m", "one", kCountUnits, true,
                        std::numeric_limits<std::uint64_t>::max()});
}

Expected<Duration> parse_duration(std::string_view text) {
    constexpr auto kMost = static_cast<std::uint64_t>(Duration::max().count());
    const auto ns =
        parse(text, {"a duration", "200us, 1.5s or 1m", "one nanosecond", kDurationUnits, false, kMost});
    if (!ns) return tl::unexpected(ns.error());
    return Duration{static_cast<Duration::rep>(*ns)};
}

Expected<std::uint64_t> parse_bytes(std::string_view text) {
    return parse(text, {"a size in bytes", "4096, 4KiB or 1MiB", "one byte", kByteUnits, true,
                        std::numeric_limits<std::uint64_t>::max()});
}

std::string format_count(double count) {
    constexpr std::array<const char*, 4> kSuffix{"", "k", "M", "G"};
    const std::size_t power = scale_down(count, 1000, kSuffix.size() - 1);
    return three_digits(count) + kSuffix[power];
}

std::string format_duration(Duration duration) {
    const auto ns = duration.count();
    if (ns < 0) return "-" + format_duration(-duration);
    if (ns < 100) return fmt::format("{} ns", ns);
    const auto seconds = std::chrono::round<std::chrono::seconds>(duration).count();
    if (seconds >= 3600) {
        const auto minutes = std::chrono::round<std::chrono::minutes>(duration).count();
        return minutes % 60 == 0 ? fmt::format("{} h", minutes / 60)
                                 : fmt::format("{} h {} min", minutes / 60, minutes % 60);
    }
    if (seconds >= 60)
        return seconds % 60 == 0 ? fmt::format("{} min", seconds / 60)
                                 : fmt::format("{} min {} s", seconds / 60, seconds % 60);
    constexpr std::array<const char*, 3> kSuffix{" \u00b5s", " ms", " s"};
    double value = static_cast<double>(ns) / 1000;
    const std::size_t power = scale_down(value, 1000, kSuffix.size() - 1);
    return three_digits(value) + kSuffix[power];
}

std::string format_bytes(double bytes) {
    constexpr std::array<const char*, 5> kSuffix{" B", " KiB", " MiB", " GiB", " TiB"};
    const std::size_t power = scale_down(bytes, 1024, kSuffix.size() - 1);
    return three_digits(bytes) + kSuffix[power];
}

}  // namespace millrace
