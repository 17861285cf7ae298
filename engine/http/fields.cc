#include <cstring>

#include "engine/http/chars.h"
#include "engine/http/list.h"
#include "engine/http/message.h"

namespace millrace::http {
namespace {

// The eight characters at `at`, upper-case letters made lower: for each octet without its top bit, a sum that
// carries into that bit tells whether it is at least 'A', another whether it is beyond 'Z'.
std::uint64_t load_lower(std::string_view text, std::size_t at) {
    constexpr std::uint64_t kEach = 0x0101010101010101;
    std::uint64_t word;
    std::memcpy(&word, text.data() + at, sizeof word);
    const std::uint64_t low = word & (0x7f * kEach);
    const std::uint64_t from_a = low + (0x80 - 'A') * kEach;
    const std::uint64_t beyond_z = low + (0x7f - 'Z') * kEach;
    const std::uint64_t upper = (from_a ^ beyond_z) & ~word & (0x80 * kEach);
    return word | upper >> 2;
}

}  // namespace

bool Fields::add(Field field) {
    if (count_ == kMaxFields) return false;
    fields_[count_++] = field;
    return true;
}

std::optional<std::string_view> Fields::get(std::string_view name) const {
    for (const Field& field : all())
        if (equals_ignoring_case(field.name, name)) return field.value;
    return std::nullopt;
}

std::size_t Fields::count(std::string_view name) const {
    std::size_t count = 0;
    for (const Field& field : all())
        count += equals_ignoring_case(field.name, name);
    return count;
}

bool Fields::has_token(std::string_view name, std::string_view token) const {
    for (const Field& field : all()) {
        if (!equals_ignoring_case(field.name, name)) continue;
        ListReader list(field.value);
        for (std::string_view member; list.next(member);)
            if (equals_ignoring_case(member, token)) return true;
    }
    return false;
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
    if (a.size() != b.size()) return false;
    if (a.size() < 8) {
        for (std::size_t i = 0; i < a.size(); ++i)
            if (to_lower(a[i]) != to_lower(b[i])) return false;
        return true;
    }
    const auto differ = [&](std::size_t at) { return load_lower(a, at) ^ load_lower(b, at); };
    std::uint64_t difference = differ(a.size() - 8);
    for (std::size_t at = 0; at + 8 < a.size(); at += 8)
        difference |= differ(at);
    return difference == 0;
}

}  // namespace millrace::http
