#include "engine/http/exchange.h"

#include "engine/http/list.h"

namespace millrace::http {

bool keeps_alive(const Request& request) {
    if (request.fields.has_token("connection", "close")) return false;
    return request.minor_version > 0 || request.fields.has_token("connection", "keep-alive");
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
