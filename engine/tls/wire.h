#pragma once
// Where OpenSSL reads and writes: a BIO of our own straight between a connection's SSL and the carrier's
// bytes, so that records are copied once into OpenSSL and once out of it, and no memory BIO lies between.

#include <openssl/ssl.h>

#include <cstddef>
#include <span>
#include <string>

namespace millrace::tls {

// One for all connections of a shard: OpenSSL works on one of them at a time.
class Wire {
  public:
    // What has arrived and OpenSSL has not read yet.
    std::span<const std::byte> in;

    // Takes all of `out`, or false when there is no memory for it.
    using Write = bool (*)(void* owner, std::span<const std::byte> out);
    Wire(void* owner, Write taker) : owner_(owner), write_(taker) {}

    // Gives a fresh `ssl` this wire; false when memory is out.
    bool attach(SSL* ssl);

    bool write(std::span<const std::byte> out) { return write_(owner_, out); }

  private:
    void* owner_;
    Write write_;
};

enum class Outcome : std::uint8_t {
    kDone,
    kMore,         // OpenSSL has read all that there is and needs more
    kCloseNotify,  // the peer will send no more (RFC 8446 section 6.1)
    kNoMemory,     // the wire did not take what had to be said
    kFailed,       // an alert has been written where one is due; failure() says why
};

Outcome handshake(SSL* ssl);
// Decrypted bytes, one record's at most, into `out` (not empty); `n` says how many.
Outcome read(SSL* ssl, std::span<std::byte> out, std::size_t& n);
// `bytes`: at most kMostPlaintext, which become one record. The wire has room.
bool write(SSL* ssl, std::span<const std::byte> bytes);
// Once; nothing can be written afterwards. False when the wire did not take it.
bool send_close_notify(SSL* ssl);
// One clause on why kFailed was said; OpenSSL's errors are forgotten with it.
std::string failure(SSL* ssl);

}  // namespace millrace::tls
