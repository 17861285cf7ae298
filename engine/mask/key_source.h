#pragma once
// RFC 6455 section 10.3: a client's masking keys must be unpredictable to those who choose its payloads. They
// are the key stream of AES-128 in counter mode under a key from the operating system, taken from OpenSSL in
// batches: with AES instructions a batch of 1024 keys costs below a microsecond, a frame's key is one load,
// and no frame costs a system call.

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include "engine/mask/mask.h"
#include "netstack/base/error.h"

struct evp_cipher_ctx_st;

namespace millrace::ws {

// Owned by one shard.
class KeySource {
  public:
    static constexpr std::size_t kSeedBytes = 32;  // an AES-128 key and the first counter block

    // Seeded by the operating system.
    static Expected<KeySource> create();
    // Seeded by the caller, for simulations that must replay: the seed determines every key.
    static Expected<KeySource> create(std::span<const std::byte, kSeedBytes> seed);

    MaskKey next() {
        if (used_ == kBatch) refill();
        return keys_[used_++];
    }

  private:
    static constexpr std::size_t kBatch = 1024;

    struct FreeContext {
        void operator()(evp_cipher_ctx_st* context) const;
    };
    using Context = std::unique_ptr<evp_cipher_ctx_st, FreeContext>;

    explicit KeySource(Context context) : context_(std::move(context)) {}
    void refill();

    Context context_;
    std::size_t used_ = kBatch;
    std::array<MaskKey, kBatch> keys_{};
};

}  // namespace millrace::ws
