#pragma once
// Who may open a WebSocket: the answer of an application's hook, and the built-in one, tokens that are known
// to server and client.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/http/message.h"

namespace millrace {

// What a handler's authorise() says. The views must outlive the call that returns it: literals do.
struct Access {
    int status = 0;              // 0: allowed; else what the request is answered with, 401 or 403
    std::string_view why;        // for the answer's content and the log
    std::string_view challenge;  // 401: WWW-Authenticate (RFC 9110 section 11.6.1)

    static Access allow() { return {}; }
    static Access unauthorised(std::string_view why, std::string_view challenge = "Bearer") {
        return {401, why, challenge};
    }
    static Access forbid(std::string_view why) { return {403, why, {}}; }
    bool allowed() const { return status == 0; }
};

// Tokens of which a request must bring one: `Authorization: Bearer TOKEN`, `?token=TOKEN` (a browser's
// WebSocket can set no header), or a cookie `token`. Kept and compared by their SHA-256, in a time that does
// not depend on what was sent.
class AccessTokens {
  public:
    void add(std::string_view token);
    bool empty() const { return digests_.empty(); }
    Access judge(const http::Request& request) const;

  private:
    using Digest = std::array<unsigned char, 32>;
    bool knows(std::string_view token) const;

    std::vector<Digest> digests_;
};

}  // namespace millrace
