#include "engine/tls/client_context.h"

#include <fmt/format.h>
#include <openssl/x509v3.h>

#include "engine/tls/alpn.h"
#include "netstack/base/address.h"

namespace millrace::tls {
namespace {

Expected<void> trust(SSL_CTX* context, const ClientConfig& config) {
    if (config.insecure) {
        SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nullptr);
        return {};
    }
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    if (config.ca.empty()) {
        SSL_CTX_set_default_verify_paths(context);
        return {};
    }
    if (SSL_CTX_load_verify_file(context, config.ca.c_str()) == 1) return {};
    return fail(fmt::format("the certificates of --ca {} cannot be read ({}): give a PEM file", config.ca,
                            take_error()));
}

bool is_address(const std::string& host) {
    return net::parse_ip(host).has_value();
}

}  // namespace

Expected<std::unique_ptr<ClientContext>> ClientContext::create(const ClientConfig& config) {
    if (config.host.empty() && !config.insecure)
        return fail("TLS needs the server's name to verify its certificate: give the host, or --insecure");
    auto made = make_context(TLS_client_method());
    if (!made) return tl::unexpected(made.error());
    SSL_CTX* const context = made->get();
    if (auto trusted = trust(context, config); !trusted) return tl::unexpected(trusted.error());
    if (!config.certificate.empty())
        if (auto used = use_certificate(context, config.certificate, config.key); !used)
            return tl::unexpected(used.error());
    std::string protocols(1, static_cast<char>(kHttp11.size()));
    protocols += kHttp11;
    SSL_CTX_set_alpn_protos(context, reinterpret_cast<const unsigned char*>(protocols.data()),
                            static_cast<unsigned>(protocols.size()));
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, keep_session);
    std::unique_ptr<ClientContext> client(new ClientContext(std::move(*made), config));
    SSL_CTX_set_app_data(context, client.get());
    return client;
}

// Connections that outlive it keep OpenSSL's part alive: their tickets are then nobody's.
ClientContext::~ClientContext() {
    SSL_CTX_set_app_data(context_.get(), nullptr);
}

SSL* ClientContext::open() {
    SSL* const ssl = SSL_new(context_.get());
    if (!ssl) return nullptr;
    SSL_set_connect_state(ssl);
    const bool by_address = is_address(config_.host);
    const std::string& name = config_.server_name.empty() ? config_.host : config_.server_name;
    bool done = is_address(name) || name.empty() || SSL_set_tlsext_host_name(ssl, name.c_str()) == 1;
    if (!config_.insecure) {
        SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        done = done && (by_address ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), config_.host.c_str())
                                   : SSL_set1_host(ssl, config_.host.c_str())) == 1;
    }
    if (done && latest_ && SSL_SESSION_is_resumable(latest_.get())) SSL_set_session(ssl, latest_.get());
    if (done) return ssl;
    SSL_free(ssl);
    return nullptr;
}

// RFC 7301 section 3.2: a server that chooses may only choose what was offered; one that does not know ALPN
// is taken to speak HTTP/1.1.
std::string_view ClientContext::shortcoming(SSL* ssl) {
    const unsigned char* chosen = nullptr;
    unsigned length = 0;
    SSL_get0_alpn_selected(ssl, &chosen, &length);
    const std::string_view protocol(reinterpret_cast<const char*>(chosen), length);
    if (length != 0 && protocol != kHttp11) return "the server wants to speak something else than HTTP/1.1";
    return {};
}

// One session at a time: a ticket may come on each connection, and the latest serves all. A copy: OpenSSL
// spoils its own when a connection ends without close_notify, and who was cut off wants to be back soon.
int ClientContext::keep_session(SSL* ssl, SSL_SESSION* session) {
    auto* const client = static_cast<ClientContext*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
    if (client) client->latest_.reset(SSL_SESSION_dup(session));
    return 0;  // we have not taken a reference
}

}  // namespace millrace::tls
