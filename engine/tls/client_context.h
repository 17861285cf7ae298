#pragma once
// How a client's connections to one server are secured. One for each shard.
//
//     auto made = tls::ClientContext::create({.host = "example.com"});       // or a sentence about what is
//     wrong endpoint.add_target<Handler>({.host = "example.com", .path = "/", .tls = std::move(*made)});
//
// The endpoint must stand on a TlsCarrier (engine/tls/tls_carrier.h); connect() then says on_open or
// on_failed after TLS, the latter with the reason in words ("self-signed certificate ..."). Where bytes go
// before TLS (a proxy's CONNECT), connect() without it, and TlsCarrier::secure() when the proxy has said 200:
// kConnected follows once more, when TLS is established.

#include <memory>
#include <string>

#include "engine/tls/openssl.h"

namespace millrace::tls {

struct ClientConfig {
    std::string host;  // a name or an IP address, as the certificate must have it (no port, no brackets)
    std::string server_name;  // to ask for by SNI instead of `host`; an address is never asked for
    std::string ca;           // PEM: trusted instead of the system's
    bool insecure = false;    // believe any certificate
    std::string certificate;  // PEM: ours, where the server asks for one; empty: none
    std::string key;          // PEM
};

class ClientContext {
  public:
    static Expected<std::unique_ptr<ClientContext>> create(const ClientConfig& config);
    ~ClientContext();
    ClientContext(const ClientContext&) = delete;
    ClientContext& operator=(const ClientContext&) = delete;

    // A connection's state in the client's role, which resumes the latest session; null when memory is out.
    SSL* open();

    SSL_CTX* context() { return context_.get(); }

    // What an established connection lacks; empty when all is well. The chain was judged in the handshake.
    static std::string_view shortcoming(SSL* ssl);

  private:
    ClientContext(ContextPtr context, const ClientConfig& config)
        : context_(std::move(context)), config_(config) {}
    static int keep_session(SSL* ssl, SSL_SESSION* session);

    ContextPtr context_;
    ClientConfig config_;
    SessionPtr latest_;
};

}  // namespace millrace::tls
