#include "engine/handshake/access.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <optional>

#include "engine/http/credentials.h"

namespace millrace {
namespace {

constexpr std::size_t kLongestToken = 1024;  // in a query, without its encoding

}  // namespace

void AccessTokens::add(std::string_view token) {
    Digest digest;
    SHA256(reinterpret_cast<const unsigned char*>(token.data()), token.size(), digest.data());
    digests_.push_back(digest);
}

bool AccessTokens::knows(std::string_view token) const {
    Digest digest;
    SHA256(reinterpret_cast<const unsigned char*>(token.data()), token.size(), digest.data());
    bool found = false;
    for (const Digest& known : digests_)
        found |= CRYPTO_memcmp(known.data(), digest.data(), digest.size()) == 0;
    return found;
}

Access AccessTokens::judge(const http::Request& request) const {
    if (digests_.empty()) return Access::allow();
    std::array<char, kLongestToken> decoded;
    auto token = http::bearer_token(request);
    if (!token) token = http::query_parameter(request, "token", decoded);
    if (!token) token = http::cookie(request, "token");
    if (!token) return Access::unauthorised("a token is needed", "Bearer realm=\"millrace\"");
    if (knows(*token)) return Access::allow();
    return Access::unauthorised("the token is not known",
                                "Bearer realm=\"millrace\", error=\"invalid_token\"");  // RFC 6750 section 3
}

}  // namespace millrace
