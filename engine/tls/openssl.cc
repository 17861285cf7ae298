#include "engine/tls/openssl.h"

#include <fmt/format.h>
#include <openssl/err.h>

#include <cstring>

namespace millrace::tls {

std::string take_error() {
    const char* data = nullptr;
    int flags = 0;
    const unsigned long code = ERR_get_error_all(nullptr, nullptr, nullptr, &data, &flags);
    std::string text = "no reason given";
    if (ERR_SYSTEM_ERROR(code))
        text = std::strerror(ERR_GET_REASON(code));
    else if (const char* reason = ERR_reason_error_string(code))
        text = reason;
    ERR_clear_error();
    return text;
}

Expected<ContextPtr> make_context(const SSL_METHOD* method) {
    ContextPtr context(SSL_CTX_new(method));
    if (!context) return fail(fmt::format("OpenSSL does not start: {}", take_error()));
    SSL_CTX* const c = context.get();
    SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION);
    // RFC 9325 section 4.2: of TLS 1.2 the suites with forward secrecy and AEAD.
    SSL_CTX_set_cipher_list(c, "ECDHE+AESGCM:ECDHE+CHACHA20");
    SSL_CTX_set_options(c, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    return context;
}

Expected<void> use_certificate(SSL_CTX* context, const std::string& certificate, const std::string& key) {
    if (SSL_CTX_use_certificate_chain_file(context, certificate.c_str()) != 1)
        return fail(
            fmt::format("the certificate {} cannot be used ({}): give a PEM file that begins with the "
                        "certificate itself",
                        certificate, take_error()));
    if (SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) != 1)
        return fail(
            fmt::format("the key {} cannot be used with {} ({}): give the PEM file of the key that the "
                        "certificate was made for, without a passphrase",
                        key, certificate, take_error()));
    return {};
}

}  // namespace millrace::tls
