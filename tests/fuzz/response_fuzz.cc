// The response parser and the client's half of the opening handshake.
//
// Input: one byte for the limits, then what a server sends.

#include "engine/handshake/handshake.h"
#include "tests/fuzz/head_properties.h"

namespace {

using namespace millrace;
using fuzz::require;

http::Response response;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 1) return 0;
    const http::Limits limits = fuzz::limits_of(data[0]);
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    const http::ParseResult result = http::parse_response(bytes, response, limits);
    require((result.status == http::ParseStatus::kBad) == (*result.why != '\0'), "a reason for each fault");
    if (result.complete()) {
        fuzz::check_taken(bytes, response.head_bytes, response.fields, limits);
        require(response.status >= 100 && response.status <= 599, "the status");
        const bool established =
            ws::check_response(response, {.host = "a", .key = "dGhlIHNhbXBsZSBub25jZQ=="}).why.empty();
        require(!established || (response.status == 101 && response.fields.get("sec-websocket-accept") ==
                                                               "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
                "a connection that is none");
    }
    fuzz::check_cuts(bytes, http::parse_response, limits, response);
    return 0;
}
