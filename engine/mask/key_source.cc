#include "engine/mask/key_source.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <cstdlib>
#include <utility>

namespace millrace::ws {

void KeySource::FreeContext::operator()(evp_cipher_ctx_st* context) const {
    EVP_CIPHER_CTX_free(context);
}

Expected<KeySource> KeySource::create() {
    std::array<std::byte, kSeedBytes> seed;
    if (RAND_priv_bytes(reinterpret_cast<unsigned char*>(seed.data()), kSeedBytes) != 1)
        return fail(
            "OpenSSL has no random bytes for WebSocket masking keys: check that getrandom(2) works here");
    auto source = create(seed);
    OPENSSL_cleanse(seed.data(), seed.size());
    return source;
}

Expected<KeySource> KeySource::create(std::span<const std::byte, kSeedBytes> seed) {
    const auto* key = reinterpret_cast<const unsigned char*>(seed.data());
    Context context(EVP_CIPHER_CTX_new());
    if (!context || EVP_EncryptInit_ex(context.get(), EVP_aes_128_ctr(), nullptr, key, key + 16) != 1)
        return fail("OpenSSL offers no AES-128-CTR for WebSocket masking keys: enable its default provider");
    return KeySource(std::move(context));
}

void KeySource::refill() {
    static constexpr std::array<unsigned char, kBatch * sizeof(MaskKey)> kZeros{};
    int written = 0;
    const int done = EVP_EncryptUpdate(context_.get(), reinterpret_cast<unsigned char*>(keys_.data()),
                                       &written, kZeros.data(), static_cast<int>(kZeros.size()));
    // OpenSSL cannot fail here short of being torn down under us; a predictable key is no way to go on.
    if (done != 1 || written != static_cast<int>(kZeros.size())) std::abort();
    used_ = 0;
}

}  // namespace millrace::ws
