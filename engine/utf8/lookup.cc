// Keiser and Lemire, "Validating UTF-8 in less than one instruction per byte" (2021). Whether two bytes can
// follow one another is decided by three nibbles: the first byte's two and the second's high one. Each
// selects from a table the faults that it leaves possible; a fault that all three leave possible is one. Only
// the third and fourth byte of a character need a second look, for a lead byte two or three places before
// them.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/utf8/lookup.cc"
#include "engine/utf8/lookup.h"

#include <hwy/foreach_target.h>  // must come before highway.h

#include <array>
#include <cstdint>

#include "engine/simd/kernel.h"
#include "engine/simd/vectors-inl.h"

#ifndef MILLRACE_UTF8_LOOKUP_TABLES
#    define MILLRACE_UTF8_LOOKUP_TABLES
namespace millrace::ws::utf8_tables {

// What is wrong with a pair of bytes (RFC 3629 section 4), as sets of nibbles: bit n stands for nibble n.
struct Fault {
    unsigned first_high, first_low, second_high;
};
constexpr unsigned kAny = 0xFFFF;
constexpr unsigned kAscii = 0x00FF, kTail = 0x0F00, kLead = 0xF000;
constexpr unsigned nibbles(unsigned from, unsigned to) {
    return (2u << to) - (1u << from);
}
constexpr Fault kFaults[] = {
    {kLead, kAny, kAscii | kLead},                              // a character ends early
    {kAscii, kAny, kTail},                                      // a tail byte after ASCII
    {nibbles(0xC, 0xC), nibbles(0, 1), kTail},                  // C0, C1: overlong
    {nibbles(0xE, 0xE), nibbles(0, 0), nibbles(0x8, 0x9)},      // E0 80..9F: overlong
    {nibbles(0xE, 0xE), nibbles(0xD, 0xD), nibbles(0xA, 0xB)},  // ED A0..BF: a surrogate
    {nibbles(0xF, 0xF), nibbles(4, 0xF), nibbles(0x9, 0xB)},    // F4 90..BF, F5..FF: above U+10FFFF
    {nibbles(0xF, 0xF), nibbles(0, 0) | nibbles(5, 0xF), nibbles(0x8, 0x8)},  // F0 80..8F: overlong; F5..FF
    {kTail, kAny,
     kTail},  // a tail byte after a tail byte: right where the second look wants one. The top bit.
};

using Table = std::array<std::uint8_t, 16>;
constexpr Table table_of(unsigned Fault::*nibble) {
    Table table{};
    for (unsigned bit = 0; bit < 8; ++bit)
        for (unsigned value = 0; value < 16; ++value)
            if (kFaults[bit].*nibble >> value & 1) table[value] |= static_cast<std::uint8_t>(1u << bit);
    return table;
}
alignas(16) constexpr Table kFirstHigh = table_of(&Fault::first_high);
alignas(16) constexpr Table kFirstLow = table_of(&Fault::first_low);
alignas(16) constexpr Table kSecondHigh = table_of(&Fault::second_high);

}  // namespace millrace::ws::utf8_tables
#endif

HWY_BEFORE_NAMESPACE();
namespace millrace::ws::HWY_NAMESPACE {

template <class D>
using VecOf = hn::Vec<D>;

template <class D>
inline HWY_ATTR VecOf<D> high_nibbles(D d, VecOf<D> v) {
    const hn::Repartition<std::uint16_t, D> d16;
    return hn::And(hn::BitCast(d, hn::ShiftRight<4>(hn::BitCast(d16, v))), hn::Set(d, 0x0F));
}

// Not zero where the bytes at `at`, with those before them, are at fault.
template <class D>
inline HWY_ATTR VecOf<D> faults(D d, const std::uint8_t* at, VecOf<D> v) {
    using namespace utf8_tables;
    const auto before1 = hn::LoadU(d, at - 1);
    const auto before2 = hn::LoadU(d, at - 2);
    const auto before3 = hn::LoadU(d, at - 3);
    const auto pairs = hn::And(
        hn::And(
            hn::TableLookupBytes(hn::LoadDup128(d, kFirstHigh.data()), high_nibbles(d, before1)),
            hn::TableLookupBytes(hn::LoadDup128(d, kFirstLow.data()), hn::And(before1, hn::Set(d, 0x0F)))),
        hn::TableLookupBytes(hn::LoadDup128(d, kSecondHigh.data()), high_nibbles(d, v)));
    // Their top bit is set after E0..FF two places before, or F0..FF three.
    const auto third = hn::SaturatedSub(before2, hn::Set(d, 0xE0 - 0x80));
    const auto fourth = hn::SaturatedSub(before3, hn::Set(d, 0xF0 - 0x80));
    return hn::Xor(hn::And(hn::Or(third, fourth), hn::Set(d, 0x80)), pairs);
}

// Behind a vector that was ASCII there are often many. Loads are aligned: one across two lines costs two.
template <class D>
inline HWY_ATTR const std::uint8_t* after_ascii(D d, const std::uint8_t* const from,
                                                const std::uint8_t* end) {
    const std::size_t lanes = hn::Lanes(d);
    const std::uint8_t* at = from - reinterpret_cast<std::uintptr_t>(from) % lanes;
    while (static_cast<std::size_t>(end - at) >= 4 * lanes &&
           is_ascii(d, hn::Or(hn::Or(hn::Load(d, at), hn::Load(d, at + lanes)),
                              hn::Or(hn::Load(d, at + 2 * lanes), hn::Load(d, at + 3 * lanes)))))
        at += 4 * lanes;
    return at > from ? at : from;
}

// At least one vector of bytes; the last may overlap the one before.
template <class D>
HWY_ATTR bool validate(D d, const std::uint8_t* at, const std::uint8_t* end) {
    const std::size_t lanes = hn::Lanes(d);
    auto found = hn::Zero(d);
    while (at < end) {
        if (static_cast<std::size_t>(end - at) < lanes) at = end - lanes;
        const auto v = hn::LoadU(d, at);
        // With the three bytes before: where they are ASCII, too, nothing is unfinished.
        if (!is_ascii(d, hn::Or(v, hn::LoadU(d, at - 3)))) {
            found = hn::Or(found, faults(d, at, v));
            at += lanes;
            continue;
        }
        at += lanes;
        at = after_ascii(d, at, end);
    }
    return hn::AllTrue(d, hn::Eq(found, hn::Zero(d)));
}

HWY_ATTR bool validate_kernel(const std::byte* bytes, std::size_t size) {
    const hn::ScalableTag<std::uint8_t> wide;
    const hn::CappedTag<std::uint8_t, 16> narrow;
    const auto* const at = reinterpret_cast<const std::uint8_t*>(bytes);
    if (size < hn::Lanes(wide)) return validate(narrow, at, at + size);
    return validate(wide, at, at + size);
}

}  // namespace millrace::ws::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace millrace::ws {

HWY_EXPORT(validate_kernel);

namespace {
const simd::Kernel<bool(const std::byte*, std::size_t)> validate([] {
    return &HWY_DYNAMIC_DISPATCH(validate_kernel);
});
}  // namespace

bool utf8_by_lookup(std::span<const std::byte> bytes) {
    return validate(bytes.data(), bytes.size());
}

}  // namespace millrace::ws
#endif
