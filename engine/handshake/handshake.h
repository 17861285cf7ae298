#pragma once
// RFC 6455 section 4: the opening handshake, both roles, over parsed HTTP heads. No I/O.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/deflate/parameters.h"
#include "engine/http/message.h"

namespace millrace::ws {

// Sec-WebSocket-Accept (section 4.2.2) of a Sec-WebSocket-Key, which has 24 characters.
void accept_key(std::string_view key, std::span<char, 28> out);

struct UpgradePolicy {
    // Origins that may connect, compared without case as scheme://host[:port]; "*": all. Empty: those whose
    // host[:port] is the request's. A request without Origin comes from no web page, and the policy protects
    // web pages' users only (section 10.2): it passes in any case.
    std::vector<std::string> origins;
    // The ones we speak. The client lists its own by preference (section 4.1), and the first that we speak is
    // chosen; none in common: none is chosen, and the client decides whether to go on.
    std::vector<std::string> subprotocols;
    DeflatePolicy deflate;
};

enum class Verdict : std::uint8_t {
    kUpgrade,   // answer 101 with write_switching_protocols()
    kOrdinary,  // not an upgrade to WebSocket: an ordinary HTTP request (RFC 9110 section 7.8)
    kReject,    // answer `status` with write_rejection()
};

struct Judgement {
    Verdict verdict = Verdict::kOrdinary;
    int status = 0;
    const char* why = "";                      // kReject: a static sentence naming the rule
    std::string_view key;                      // kUpgrade: Sec-WebSocket-Key, 24 characters
    std::string_view subprotocol;              // chosen; points into the policy
    std::optional<DeflateParameters> deflate;  // agreed; the caller may lower a takeover before it answers
};

Judgement judge(const http::Request& request, const UpgradePolicy& policy);

// Each writes a whole response or request head and returns its length, or 0 when `out` is too small or a
// value would break out of its line.
std::size_t write_switching_protocols(std::span<char> out, const Judgement& judgement);
// A plain-text answer that says why, and what its status calls for: 426 names the version we speak (section
// 4.4), 405 the method. `date` of http::format_date(), or empty.
std::size_t write_rejection(std::span<char> out, const Judgement& judgement, std::string_view date,
                            bool keep_alive);

struct ClientRequest {
    std::string_view host;  // with port where it is not 80
    std::string_view target = "/";
    std::string_view key;  // 24 characters: base64 of 16 random bytes (section 4.1)
    std::string_view origin;
    std::span<const std::string> subprotocols;
    std::span<const http::Field> extra;
    DeflatePolicy deflate;
};

std::size_t write_client_request(std::span<char> out, const ClientRequest& request);

// base64 of 16 random bytes.
void client_key(std::span<const std::byte, 16> random, std::span<char, 24> out);

struct ResponseVerdict {
    std::string_view why;  // empty when the response establishes the connection
    std::optional<DeflateParameters> deflate;
};

// Section 4.1, the client's checks.
ResponseVerdict check_response(const http::Response& response, const ClientRequest& request);

}  // namespace millrace::ws
