#pragma once
// What a client asks for when it opens a WebSocket; shared by all its connections to that server. And what it
// hears when that does not succeed.

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/handshake/handshake.h"
#include "engine/tls/client_context.h"

namespace millrace {

// An HTTP proxy is at the address that connect() is given, and is asked for a tunnel (handshake/tunnel.h).
struct Tunnel {
    std::string authority;    // host:port of the server; empty: there is no proxy
    std::string credentials;  // the value of Proxy-Authorization; empty: none
};

struct ClientTarget {
    std::string host;  // for the Host field: with its port unless that is 80
    std::string path = "/";
    std::string origin;
    std::vector<std::string> subprotocols;
    ws::DeflatePolicy deflate;
    std::vector<std::pair<std::string, std::string>> fields;  // sent besides
    // wss: the endpoint stands on a TlsCarrier. Null: ws.
    std::shared_ptr<tls::ClientContext> tls = nullptr;
    Tunnel tunnel;
};

// Valid until on_failed() returns. Who wants no more than the sentence takes a std::string_view instead.
struct OpeningFailure {
    std::string_view why;
    // TCP was established: another address of the same server would hardly do better.
    bool connected = false;
    // What was answered instead of 101, by the server or the proxy; null where no whole head came.
    const http::Response* response = nullptr;
    bool from_proxy = false;
    // What came of the answer's content together with its head.
    std::string_view content;

    operator std::string_view() const { return why; }
};

}  // namespace millrace
