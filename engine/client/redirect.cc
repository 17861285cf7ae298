#include "engine/client/redirect.h"

#include <fmt/format.h>

namespace millrace::client {

Expected<Url> follow(const Url& from, const http::Response& response, const RedirectPolicy& policy) {
    if (response.fields.count("location") != 1)
        return fail(fmt::format("{} answered {} without one Location", from.text(), response.status));
    const std::string_view location = *response.fields.get("location");
    auto url = resolve_reference(from, location);
    if (!url)
        return fail(fmt::format("{} redirects to '{}', which leads nowhere: {}", from.text(), location,
                                url.error().message));
    const bool absolute = url->host != from.host || url->port != from.port || url->secure != from.secure ||
                          location.find("://") != location.npos || location.starts_with("//");
    // RFC 9110 section 4.2.4: from an untrusted source, user information is there to deceive.
    if (absolute && url->user_info)
        return fail(
            fmt::format("{} redirects to a URL with user information, which is not trusted", from.text()));
    if (from.secure && !url->secure && !policy.to_plain)
        return fail(
            fmt::format("{} redirects to {}, which is not encrypted: follow it with "
                        "--redirect-to-plain, if that is acceptable",
                        from.text(), url->text()));
    if (url->same_origin(from)) url->user_info = from.user_info;
    return url;
}

bool is_credential(std::string_view field_name) {
    return http::equals_ignoring_case(field_name, "authorization") ||
           http::equals_ignoring_case(field_name, "cookie");
}

}  // namespace millrace::client
