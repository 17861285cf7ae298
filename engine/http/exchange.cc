#include "engine/http/exchange.h"

#include <algorithm>
#include <array>

#include "engine/http/list.h"
#include "engine/http/name.h"

namespace millrace::http {

bool keeps_alive(const Request& request) {
    if (request.fields.has_token("connection", "close")) return false;
    return request.minor_version > 0 || request.fields.has_token("connection", "keep-alive");
}

Expectation expectation(const Request& request) {
    if (request.minor_version == 0) return Expectation::kNone;
    Expectation found = Expectation::kNone;
    for (const Field& field : request.fields.all()) {
        if (!is_name(field.name, "expect")) continue;
        ListReader list(field.value);
        for (std::string_view member; list.next(member);) {
            if (!equals_ignoring_case(member, "100-continue")) return Expectation::kUnknown;
            found = Expectation::kContinue;
        }
    }
    return found;
}

bool is_known_method(std::string_view method) {
    constexpr std::array<std::string_view, 8> kMethods{"GET",    "HEAD",    "POST",  "PUT",
                                                       "DELETE", "OPTIONS", "TRACE", "PATCH"};
    return std::find(kMethods.begin(), kMethods.end(), method) != kMethods.end();
}

bool carries_content(std::string_view method, int status) {
    return method != "HEAD" && status >= 200 && status != 204 && status != 304;
}

bool names_etag(const Request& request, std::string_view etag) {
    for (const Field& field : request.fields.all()) {
        if (!equals_ignoring_case(field.name, "if-none-match")) continue;
        if (field.value == "*") return true;
        ListReader list(field.value);
        for (std::string_view member; list.next(member);) {
            if (member.starts_with("W/")) member.remove_prefix(2);  // compared weakly
            if (member == etag) return true;
        }
    }
    return false;
}

}  // namespace millrace::http
