#pragma once
// Where a server's answer sends a client (RFC 9110 section 15.4), and whether it goes there.

#include "engine/client/url.h"
#include "engine/http/message.h"

namespace millrace::client {

struct RedirectPolicy {
    unsigned most = 5;  // in a row; zero: none is followed
    // From wss to ws: what was meant to be secret would be sent for all to see.
    bool to_plain = false;
};

// 301, 302, 303, 307 and 308: all mean the same to who only ever asks with GET.
constexpr bool is_redirect(int status) {
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

// The URL that `response`, a redirect to a request for `from`, leads to, or one sentence why not there.
// `from`'s user information goes with it to the same origin only.
Expected<Url> follow(const Url& from, const http::Response& response, const RedirectPolicy& policy);

// Whether a field that the application adds may be told to whom a redirect names, at another origin.
bool is_credential(std::string_view field_name);

}  // namespace millrace::client
