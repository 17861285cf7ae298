#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <array>
#include <random>
#include <string>

#include "engine/handshake/base64.h"
#include "engine/handshake/handshake.h"

namespace millrace::ws {
namespace {

std::string accept_of(std::string_view key) {
    std::array<char, 28> out;
    accept_key(key, out);
    return {out.data(), out.size()};
}

std::string accept_by_evp(const std::string& key) {
    const std::string text = key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    EXPECT_EQ(EVP_Digest(text.data(), text.size(), digest, &size, EVP_sha1(), nullptr), 1);
    unsigned char base64[64];
    const int length = EVP_EncodeBlock(base64, digest, static_cast<int>(size));
    return {reinterpret_cast<char*>(base64), static_cast<std::size_t>(length)};
}

// Section 1.3 and 4.2.2.
TEST(AcceptKey, IsThatOfTheRfcsExample) {
    EXPECT_EQ(accept_of("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

TEST(AcceptKey, AgreesWithOpenSslsGeneralInterface) {
    std::mt19937 random(6455);
    for (int i = 0; i < 1000; ++i) {
        std::array<std::byte, 16> nonce;
        for (std::byte& b : nonce)
            b = static_cast<std::byte>(random());
        std::array<char, 24> key;
        client_key(nonce, key);
        const std::string text(key.data(), key.size());
        unsigned char expected[32];
        EVP_EncodeBlock(expected, reinterpret_cast<const unsigned char*>(nonce.data()), 16);
        ASSERT_EQ(text, reinterpret_cast<char*>(expected));
        ASSERT_TRUE(is_base64_of_16(text));
        ASSERT_EQ(accept_of(text), accept_by_evp(text));
    }
}

TEST(Base64, EveryCharacterIsADigitOrNot) {
    const std::string digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (int c = 0; c < 256; ++c) {
        for (std::size_t place = 0; place < 22; ++place) {
            std::string text = std::string(22, 'A') + "==";
            text[place] = static_cast<char>(c);
            EXPECT_EQ(is_base64_of_16(text), digits.find(static_cast<char>(c)) != digits.npos)
                << c << " at " << place;
        }
    }
}

}  // namespace
}  // namespace millrace::ws
