#include "engine/tls/wire.h"

#include <fmt/format.h>
#include <openssl/err.h>

#include <algorithm>
#include <cstring>

#include "engine/tls/openssl.h"

namespace millrace::tls {
namespace {

int read_some(BIO* bio, char* out, int length) {
    auto& wire = *static_cast<Wire*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    const std::size_t n = std::min(wire.in.size(), static_cast<std::size_t>(length));
    if (n == 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    std::memcpy(out, wire.in.data(), n);
    wire.in = wire.in.subspan(n);
    return static_cast<int>(n);
}

int write_all(BIO* bio, const char* bytes, int length) {
    auto& wire = *static_cast<Wire*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    if (wire.write(std::as_bytes(std::span(bytes, static_cast<std::size_t>(length))))) return length;
    BIO_set_retry_write(bio);
    return -1;
}

long control(BIO*, int command, long, void*) {
    return command == BIO_CTRL_FLUSH;
}

BIO_METHOD* method() {
    static BIO_METHOD* const made = [] {
        BIO_METHOD* fresh = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "carrier");
        if (!fresh) return fresh;
        BIO_meth_set_read(fresh, read_some);
        BIO_meth_set_write(fresh, write_all);
        BIO_meth_set_ctrl(fresh, control);
        return fresh;
    }();
    return made;
}

Outcome outcome_of(SSL* ssl, int result) {
    switch (SSL_get_error(ssl, result)) {
        case SSL_ERROR_NONE:
            return Outcome::kDone;
        case SSL_ERROR_WANT_READ:
            return Outcome::kMore;
        case SSL_ERROR_ZERO_RETURN:
            return Outcome::kCloseNotify;
        case SSL_ERROR_WANT_WRITE:
            return Outcome::kNoMemory;
        default:
            return Outcome::kFailed;
    }
}

}  // namespace

bool Wire::attach(SSL* ssl) {
    BIO* const bio = method() ? BIO_new(method()) : nullptr;
    if (!bio) return false;
    BIO_set_data(bio, this);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl, bio, bio);
    return true;
}

Outcome handshake(SSL* ssl) {
    ERR_clear_error();  // SSL_get_error() looks at the queue, where a step of another connection may have
                        // left some
    return outcome_of(ssl, SSL_do_handshake(ssl));
}

Outcome read(SSL* ssl, std::span<std::byte> out, std::size_t& n) {
    const int result = SSL_read_ex(ssl, out.data(), out.size(), &n);
    if (result == 1) return Outcome::kDone;
    n = 0;
    return outcome_of(ssl, result);
}

bool write(SSL* ssl, std::span<const std::byte> bytes) {
    std::size_t written = 0;
    return SSL_write_ex(ssl, bytes.data(), bytes.size(), &written) == 1 && written == bytes.size();
}

bool send_close_notify(SSL* ssl) {
    if (SSL_shutdown(ssl) >= 0) return true;
    ERR_clear_error();
    return false;
}

std::string failure(SSL* ssl) {
    const long verified = SSL_get_verify_result(ssl);
    const unsigned long code = ERR_peek_error();
    if (ERR_GET_LIB(code) == ERR_LIB_SSL && ERR_GET_REASON(code) == SSL_R_CERTIFICATE_VERIFY_FAILED &&
        verified != X509_V_OK) {
        ERR_clear_error();
        return fmt::format("its certificate is not trusted: {}", X509_verify_cert_error_string(verified));
    }
    return take_error();
}

}  // namespace millrace::tls
