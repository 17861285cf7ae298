#pragma once
// What a client asks for when it opens a WebSocket; shared by all its connections to that server.

#include <memory>
#include <string>
#include <vector>

#include "engine/handshake/handshake.h"
#include "engine/tls/client_context.h"

namespace millrace {

struct ClientTarget {
    std::string host;  // for the Host field: with its port unless that is 80
    std::string path = "/";
    std::string origin;
    std::vector<std::string> subprotocols;
    ws::DeflatePolicy deflate;
    std::vector<std::pair<std::string, std::string>> fields;  // sent besides
    // wss: the endpoint stands on a TlsCarrier. Null: ws.
    std::shared_ptr<tls::ClientContext> tls = nullptr;
};

}  // namespace millrace
