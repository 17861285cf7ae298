#pragma once
// Received bytes after decryption. They lie where their ciphertext lay, in the carrier's buffer, whenever the
// records they came in lie in that buffer whole; only a record that was cut needs a buffer of its own.

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "engine/tls/records.h"
#include "netstack/base/error.h"
#include "netstack/base/reserved_array.h"

namespace millrace::tls {

// The shard's bounded pool of buffers of one record each; memory is taken as they are first used.
class PlaintextPool {
  public:
    using Id = std::uint32_t;
    static constexpr Id kNone = 0;

    static Expected<PlaintextPool> create(std::size_t count) {
        auto buffers = ReservedArray<Buffer>::create(count + 1);  // none has number 0
        if (!buffers) return tl::unexpected(buffers.error());
        return PlaintextPool(std::move(*buffers));
    }

    bool used_up() const { return in_use_ + 1 >= buffers_.capacity(); }
    // The one that was given back last, which is still in the cache; kNone when all are in use.
    Id take() {
        Id id = free_;
        if (id != kNone)
            free_ = buffers_[id].next;
        else if (touched_ + 1 < buffers_.capacity())
            id = ++touched_;
        in_use_ += id != kNone;
        return id;
    }
    void give_back(Id id) {
        buffers_[id].next = free_;
        free_ = id;
        --in_use_;
    }
    std::span<std::byte> bytes(Id id) { return buffers_[id].bytes; }

    std::size_t in_use() const { return in_use_; }
    std::size_t memory_in_use() const { return buffers_.resident_bytes(); }

  private:
    struct Buffer {
        Id next;
        std::byte spare[60];  // that buffers do not begin in the same cache set as their pages
        std::byte bytes[kMostPlaintext];
    };
    explicit PlaintextPool(ReservedArray<Buffer> buffers) : buffers_(std::move(buffers)) {}

    ReservedArray<Buffer> buffers_;
    Id free_ = kNone;
    Id touched_ = 0;
    std::size_t in_use_ = 0;
};

// A carrier's Bytes as they are, a part of them, or a buffer of the pool.
template <class CarrierBytes>
class PlainBytes {
  public:
    PlainBytes() = default;
    explicit PlainBytes(CarrierBytes whole) : below_(std::move(whole)), part_(below_.bytes()) {}
    PlainBytes(CarrierBytes below, std::span<std::byte> part) : below_(std::move(below)), part_(part) {}
    PlainBytes(PlaintextPool& pool, PlaintextPool::Id buffer, std::size_t bytes)
        : part_(pool.bytes(buffer).first(bytes)), pool_(&pool), buffer_(buffer) {}
    PlainBytes(PlainBytes&& other) noexcept
        : below_(std::move(other.below_)),
          part_(std::exchange(other.part_, {})),
          pool_(std::exchange(other.pool_, nullptr)),
          buffer_(other.buffer_) {}
    PlainBytes& operator=(PlainBytes&& other) noexcept {
        std::swap(below_, other.below_);
        std::swap(part_, other.part_);
        std::swap(pool_, other.pool_);
        std::swap(buffer_, other.buffer_);
        return *this;
    }
    ~PlainBytes() {
        if (pool_) pool_->give_back(buffer_);
    }

    std::span<std::byte> bytes() const { return part_; }

  private:
    CarrierBytes below_{};
    std::span<std::byte> part_;
    PlaintextPool* pool_ = nullptr;
    PlaintextPool::Id buffer_ = PlaintextPool::kNone;
};

}  // namespace millrace::tls
