#pragma once
// What a request asks of the connection and of its answer (RFC 9112 section 9, RFC 9110 sections 6.4
// and 9.3.2).

#include <string_view>

#include "engine/http/message.h"

namespace millrace::http {

// Whether the connection persists after this exchange: in HTTP/1.1 unless `Connection: close`, in HTTP/1.0
// only with `Connection: keep-alive` (RFC 9112 section 9.3).
bool keeps_alive(const Request& request);

// Whether content follows the head.
constexpr bool has_content(const Request& request) {
    return request.body.framing == BodyFraming::kChunked || request.body.length != 0;
}

// What the Expect field asks for (RFC 9110 section 10.1.1); HTTP/1.0 knows none.
enum class Expectation : std::uint8_t { kNone, kContinue, kUnknown };
Expectation expectation(const Request& request);

// Whether RFC 9110 section 9 or RFC 5789 defines the method: one that is not gets 501, another 405.
bool is_known_method(std::string_view method);

// Whether an answer with that status to that method carries content: not to HEAD, and not 1xx, 204 or 304.
bool carries_content(std::string_view method, int status);

// Whether If-None-Match names `etag`, so that the answer is 304 (RFC 9110 section 13.1.2).
bool names_etag(const Request& request, std::string_view etag);

}  // namespace millrace::http
