// OpenSSL's low-level SHA-1, which needs neither heap nor look-up: 127 ns where EVP takes 418. It is chosen
// at run time to use the machine's SHA instructions, and it is not compiled here: SHA-NI code in a
// translation unit built for AVX runs 80 times slower.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

#include "engine/handshake/base64.h"
#include "engine/handshake/handshake.h"

namespace millrace::ws {

void accept_key(std::string_view key, std::span<char, 28> out) {
    constexpr std::string_view kGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";  // section 1.3
    std::array<std::byte, SHA_DIGEST_LENGTH> digest;
    SHA_CTX sha;
    SHA1_Init(&sha);
    SHA1_Update(&sha, key.data(), key.size());
    SHA1_Update(&sha, kGuid.data(), kGuid.size());
    SHA1_Final(reinterpret_cast<unsigned char*>(digest.data()), &sha);
    base64_encode(digest, out);
}

}  // namespace millrace::ws
