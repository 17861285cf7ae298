// SHA-1 by OpenSSL's block function, which needs neither heap nor look-up: 87 ns for the two blocks there
// are, where SHA1_Update and SHA1_Final take 128 and EVP 418. It is chosen at run time to use the machine's
// SHA instructions, and it is not compiled here: SHA-NI code in a translation unit built for AVX runs 80
// times slower.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

#include <algorithm>
#include <array>

#include "engine/handshake/base64.h"
#include "engine/handshake/handshake.h"

namespace millrace::ws {
namespace {

constexpr std::size_t kKey = 24;
constexpr std::string_view kGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";  // section 1.3
constexpr std::size_t kText = kKey + kGuid.size();
using Blocks = std::array<unsigned char, std::size_t{2} * SHA_CBLOCK>;

// The message as SHA-1 wants it, but for the key: padding, and its length in bits at the end.
constexpr Blocks kTemplate = [] {
    Blocks blocks{};
    std::copy(kGuid.begin(), kGuid.end(), blocks.begin() + kKey);
    blocks[kText] = 0x80;
    blocks[blocks.size() - 2] = kText * 8 >> 8;
    blocks[blocks.size() - 1] = kText * 8 & 255;
    return blocks;
}();

std::array<std::byte, SHA_DIGEST_LENGTH> digest_of(const SHA_CTX& sha) {
    std::array<std::byte, SHA_DIGEST_LENGTH> digest;
    std::size_t at = 0;
    for (const SHA_LONG word : {sha.h0, sha.h1, sha.h2, sha.h3, sha.h4})
        for (int shift = 24; shift >= 0; shift -= 8)
            digest[at++] = static_cast<std::byte>(word >> shift);
    return digest;
}

}  // namespace

void accept_key(std::string_view key, std::span<char, 28> out) {
    Blocks blocks = kTemplate;
    std::copy_n(key.begin(), std::min(key.size(), kKey), blocks.begin());
    SHA_CTX sha;
    SHA1_Init(&sha);
    SHA1_Transform(&sha, blocks.data());
    SHA1_Transform(&sha, blocks.data() + SHA_CBLOCK);
    base64_encode(digest_of(sha), out);
}

}  // namespace millrace::ws
