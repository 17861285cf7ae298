#pragma once
// RFC 7692 section 7.1: how two ends agree on permessage-deflate. No compression here.

#include <cstdint>
#include <string_view>

#include "engine/http/writer.h"

namespace millrace::ws {

// What one of ours is willing to do.
struct DeflatePolicy {
    bool enabled = false;
    // Keep a message's window for the next one. Better compression of small and similar messages, for up to
    // 270 KiB to send and 40 KiB to receive on each connection. An end that does not, needs none of it.
    bool takeover = false;
    std::uint8_t window_bits =
        15;  // 9 to 15: of either end's window at most, as far as the peer lets us choose
};

// What both ends do.
struct DeflateParameters {
    bool server_takeover = true;    // the server's messages refer to its earlier ones
    bool client_takeover = true;    // the client's likewise
    std::uint8_t server_bits = 15;  // of the server's window, 8 to 15
    std::uint8_t client_bits = 15;
    bool names_server_bits =
        false;  // the answer says server_bits: asked for it must, whatever they are (7.1.2.1)
    friend bool operator==(const DeflateParameters&, const DeflateParameters&) = default;
};

enum class ExtensionVerdict : std::uint8_t {
    kNone,       // nothing here that is ours
    kAgreed,     // `out` is what to do
    kMalformed,  // not a list of extensions (RFC 6455 section 9.1)
    kRefused,    // client only: the server's answer is not one to our offer (RFC 7692 section 7.1)
};

// The server's choice from one Sec-WebSocket-Extensions line: the first offer that it can accept. An offer
// with a parameter that is unknown, repeated or out of range is declined (section 7.1), not an error.
ExtensionVerdict accept_deflate_offer(std::string_view value, const DeflatePolicy& policy,
                                      DeflateParameters& out);
// The line with which the server answers.
void write_deflate_response(http::HeadWriter& writer, const DeflateParameters& agreed);

// The line with which a client offers.
void write_deflate_offer(http::HeadWriter& writer, const DeflatePolicy& policy);
// The client's look at the server's answer, the value of its only Sec-WebSocket-Extensions line.
ExtensionVerdict check_deflate_response(std::string_view value, const DeflatePolicy& offered,
                                        DeflateParameters& out);

}  // namespace millrace::ws
