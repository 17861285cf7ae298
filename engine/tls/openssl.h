#pragma once
// OpenSSL's objects with owners, and its errors as text.

#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "netstack/base/error.h"

namespace millrace::tls {

template <auto Free>
struct Freeing {
    template <class T>
    void operator()(T* object) const {
        Free(object);
    }
};

using ContextPtr = std::unique_ptr<SSL_CTX, Freeing<SSL_CTX_free>>;
using SessionPtr = std::unique_ptr<SSL_SESSION, Freeing<SSL_SESSION_free>>;

// What OpenSSL's error queue of this thread says went wrong first, in its words; the queue is empty then.
std::string take_error();

// A fresh SSL_CTX with what both roles have in common: TLS 1.2 and 1.3, AEAD ciphers, no renegotiation, no
// compression, buffers given back whenever they are empty.
Expected<ContextPtr> make_context(const SSL_METHOD* method);

// Certificate chain and key, PEM files, for `context`; `what` names the options in the error's remedy.
Expected<void> use_certificate(SSL_CTX* context, const std::string& certificate, const std::string& key);

}  // namespace millrace::tls
