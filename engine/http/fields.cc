#include "engine/http/chars.h"
#include "engine/http/list.h"
#include "engine/http/message.h"

namespace millrace::http {

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
    for (std::size_t i = 0; i < a.size(); ++i)
        if (to_lower(a[i]) != to_lower(b[i])) return false;
    return true;
}

}  // namespace millrace::http
