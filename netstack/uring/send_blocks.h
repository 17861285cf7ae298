#pragma once
// The shard's bounded pool of blocks in which bytes wait for the kernel. A connection holds blocks only while
// it has unsent bytes. Two sizes, so that many connections with little to say do not hold big blocks; and
// blocks without memory of their own, which refer to the bytes of a Shared.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "netstack/base/block_pool.h"
#include "netstack/base/error.h"
#include "netstack/base/reserved_array.h"

namespace millrace::net::uring {

using BlockId = std::uint32_t;

inline constexpr std::uint32_t kSmallBlock = 1024;
inline constexpr std::uint32_t kLargeBlock = 16 * 1024;

struct Block {
    std::byte* data;       // the first unsent byte
    std::uint32_t length;  // bytes written and unsent
    std::uint32_t room;    // bytes that may still be written behind them
    BlockId next;          // in a connection's queue, in a Shared, or in a free list
    BlockId owner;         // a reference: the first block of its Shared, else kNoBlock
    std::uint32_t uses;    // first block of a Shared: handles and references that hold it
};

struct BlockCounts {
    std::uint32_t small = 0;
    std::uint32_t large = 0;
    std::uint32_t references = 0;
};

class SendBlocks {
  public:
    SendBlocks() = default;
    SendBlocks(const SendBlocks&) = delete;
    SendBlocks& operator=(const SendBlocks&) = delete;

    Expected<void> open(BlockCounts counts);

    // A block with room for up to `n` bytes, of the size that fits best; kNoBlock when the pool is dry.
    BlockId take(std::size_t n);
    // A block that refers to `length` bytes of the Shared that begins with `owner`, and holds that Shared.
    BlockId refer(std::byte* data, std::uint32_t length, BlockId owner);
    // Back to the pool; a reference lets go of its Shared.
    void give_back(BlockId id);

    // A Shared's blocks, linked; kNoBlock when the pool is dry. One use is held by the caller.
    BlockId share(std::span<const std::byte> bytes);
    void hold(BlockId shared) { ++blocks_[shared].uses; }
    void let_go(BlockId shared);

    Block& operator[](BlockId id) { return blocks_[id]; }

    bool under_pressure() const;
    bool all_free() const;
    // Bytes of the blocks in use, and of what describes all blocks.
    std::size_t memory_in_use() const;

  private:
    enum Kind : std::uint8_t { kSmall, kLarge, kReference, kKinds };

    struct Class {
        std::uint32_t first = 0;  // id of its first block
        std::uint32_t count = 0;
        std::uint32_t fresh = 0;  // blocks that were never used, counted from the end
        std::uint32_t free = 0;
        BlockId freed = kNoBlock;
    };

    Kind kind(BlockId id) const {
        return id < classes_[kLarge].first ? kSmall : id < classes_[kReference].first ? kLarge : kReference;
    }
    std::byte* memory(Kind kind, BlockId id);
    BlockId take_from(Kind kind);

    std::array<Class, kKinds> classes_;
    ReservedArray<Block> blocks_;
    ReservedArray<std::byte> small_memory_;
    ReservedArray<std::byte> large_memory_;
};

// Immutable bytes built once and sent to many by reference; copies count. Must not outlive its carrier, and
// belongs to the carrier's thread.
class Shared {
  public:
    Shared() = default;
    Shared(SendBlocks& pool, BlockId first, std::uint32_t size) : pool_(&pool), first_(first), size_(size) {}
    Shared(const Shared& other) : pool_(other.pool_), first_(other.first_), size_(other.size_) {
        if (pool_) pool_->hold(first_);
    }
    Shared(Shared&& other) noexcept
        : pool_(std::exchange(other.pool_, nullptr)), first_(other.first_), size_(other.size_) {}
    Shared& operator=(Shared other) noexcept {
        std::swap(pool_, other.pool_);
        std::swap(first_, other.first_);
        std::swap(size_, other.size_);
        return *this;
    }
    ~Shared() {
        if (pool_) pool_->let_go(first_);
    }

    // Calls visitor(std::span<const std::byte>) for each part, in order.
    template <class Visitor>
    void visit(Visitor&& visitor) const {
        if (!pool_) return;
        for (BlockId id = first_; id != kNoBlock; id = (*pool_)[id].next)
            visitor(std::span<const std::byte>((*pool_)[id].data, (*pool_)[id].length));
    }

    explicit operator bool() const { return pool_ != nullptr; }
    std::size_t size() const { return pool_ ? size_ : 0; }
    BlockId first() const { return first_; }

  private:
    SendBlocks* pool_ = nullptr;
    BlockId first_ = kNoBlock;
    std::uint32_t size_ = 0;
};

}  // namespace millrace::net::uring
