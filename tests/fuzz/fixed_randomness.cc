#define OPENSSL_SUPPRESS_DEPRECATED  // RAND_set_rand_method

#include "tests/fuzz/fixed_randomness.h"

#include <openssl/rand.h>

#include <cstdint>

namespace millrace::fuzz {
namespace {

std::uint64_t random_state = 1;

int fixed_bytes(unsigned char* out, int n) {
    for (int i = 0; i < n; ++i) {
        random_state = random_state * 6364136223846793005 + 1442695040888963407;
        out[i] = static_cast<unsigned char>(random_state >> 56);
    }
    return 1;
}

int always() {
    return 1;
}

}  // namespace

void fix_randomness() {
    static const RAND_METHOD method{nullptr, fixed_bytes, nullptr, nullptr, fixed_bytes, always};
    RAND_set_rand_method(&method);
    random_state = 1;
}

}  // namespace millrace::fuzz
