#include "engine/tls/ticket_keys.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <cstring>
#include <string_view>

namespace millrace::tls {
namespace {

constexpr std::size_t kNameBytes = 16;  // RFC 5077 section 4

// One block of HKDF-Expand (RFC 5869 section 2.3).
std::array<unsigned char, 32> expand(const std::array<unsigned char, 32>& secret, std::string_view label) {
    std::array<unsigned char, 32> out;
    HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
         reinterpret_cast<const unsigned char*>(label.data()), label.size(), out.data(), nullptr);
    return out;
}

}  // namespace

TicketKeys::TicketKeys() {
    RAND_bytes(secret_.data(), static_cast<int>(secret_.size()));
    derive();
    before_ = now_;
}

TicketKeys::~TicketKeys() {
    OPENSSL_cleanse(this, sizeof *this);
}

void TicketKeys::derive() {
    now_ = {.name = expand(secret_, "name\x01"),
            .cipher = expand(secret_, "cipher\x01"),
            .mac = expand(secret_, "mac\x01")};
}

void TicketKeys::turn_to(std::int64_t period) {
    for (; period_ < period; ++period_) {
        before_ = now_;
        secret_ = expand(secret_, "next\x01");
        derive();
    }
    due_ = Time(kLifetime * (period + 1));
}

int TicketKeys::prepare(unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac,
                        bool writing) const {
    const Keys* keys = &now_;
    if (writing) {
        std::memcpy(name, keys->name.data(), kNameBytes);
        if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1) return -1;
    } else if (std::memcmp(name, now_.name.data(), kNameBytes) != 0) {
        keys = &before_;
        if (std::memcmp(name, before_.name.data(), kNameBytes) != 0) return 0;
    }
    char digest[] = "SHA256";
    auto mac_key = keys->mac;
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, mac_key.data(), mac_key.size()),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0), OSSL_PARAM_construct_end()};
    const bool ready =
        EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), nullptr, keys->cipher.data(), iv, writing) == 1 &&
        EVP_MAC_CTX_set_params(mac, parameters) == 1;
    if (!ready) return -1;
    return writing || keys == &now_ ? 1 : 2;
}

}  // namespace millrace::tls
