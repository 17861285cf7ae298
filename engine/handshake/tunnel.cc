#include "engine/handshake/tunnel.h"

#include "engine/http/target.h"
#include "engine/http/writer.h"

namespace millrace::ws {

std::size_t write_connect_request(std::span<char> out, std::string_view authority,
                                  std::string_view credentials) {
    http::HeadWriter writer(out);
    if (authority.empty() || !http::is_host(authority)) writer.fail();
    writer.text("CONNECT ");
    writer.text(authority);
    writer.text(" HTTP/1.1\r\n");
    writer.field("Host", authority);
    if (!credentials.empty()) writer.field("Proxy-Authorization", credentials);
    return writer.finish();
}

std::string_view check_connect_response(const http::Response& response, bool with_credentials) {
    if (response.status >= 200 && response.status <= 299) return {};
    if (response.status != 407) return "the proxy opened no tunnel to the server";
    return with_credentials ? "the proxy does not take the user name and password given for it"
                            : "the proxy asks for a user name and password: write them in its URL";
}

}  // namespace millrace::ws
