#pragma once
// What a request asks of the connection and of its answer (RFC 9112 section 9, RFC 9110 sections 6.4
// and 9.3.2).

#include <string_view>

#include "engine/http/message.h"

namespace millrace::http {

// Whether the connection persists after this exchange: in HTTP/1.1 unless `Connection: close`, in HTTP/1.0
// only with `Connection: keep-alive` (RFC 9112 section 9.3).
bool keeps_alive(const Request& request);

// Whether an answer with that status to that method carries content: not to HEAD, and not 1xx, 204 or 304.
bool carries_content(std::string_view method, int status);

// Whether If-None-Match names `etag`, so that the answer is 304 (RFC 9110 section 13.1.2).
bool names_etag(const Request& request, std::string_view etag);

}  // namespace millrace::http
