#pragma once
// Sequence numbers (RFC 9293 section 3.4): a circle of 2^32, on which "before" has a meaning only for two
// numbers less than half of it apart. A type of its own keeps plain integers out of such comparisons.

#include <cstdint>

namespace millrace::tcp {

struct Seq {
    std::uint32_t value = 0;

    friend constexpr bool operator==(Seq, Seq) = default;
    friend constexpr bool operator<(Seq a, Seq b) { return static_cast<std::int32_t>(a.value - b.value) < 0; }
    friend constexpr bool operator>(Seq a, Seq b) { return b < a; }
    friend constexpr bool operator<=(Seq a, Seq b) { return !(b < a); }
    friend constexpr bool operator>=(Seq a, Seq b) { return !(a < b); }
    friend constexpr Seq operator+(Seq a, std::uint32_t n) { return {a.value + n}; }
    friend constexpr Seq operator-(Seq a, std::uint32_t n) { return {a.value - n}; }
    // The way from b forward to a.
    friend constexpr std::uint32_t operator-(Seq a, Seq b) { return a.value - b.value; }
    constexpr Seq& operator+=(std::uint32_t n) {
        value += n;
        return *this;
    }
};

constexpr Seq max(Seq a, Seq b) {
    return a < b ? b : a;
}
constexpr Seq min(Seq a, Seq b) {
    return a < b ? a : b;
}

}  // namespace millrace::tcp
