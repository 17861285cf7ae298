#pragma once
// A bounded pool of small blocks named by 32-bit index: state that exists only while there is something to
// hold lives here, so that its owner keeps four bytes at rest. Free blocks form a list through themselves;
// the block given back last is taken next, while it is still in the cache.

#include <cstdint>
#include <cstring>
#include <type_traits>

#include "netstack/base/error.h"
#include "netstack/base/reserved_array.h"

namespace millrace {

inline constexpr std::uint32_t kNoBlock = 0xffffffff;

template <class T>
requires(std::is_trivially_copyable_v<T> && sizeof(T) >= sizeof(std::uint32_t)) class BlockPool {
  public:
    static Expected<BlockPool> create(std::size_t capacity) {
        auto blocks = ReservedArray<T>::create(capacity);
        if (!blocks) return tl::unexpected(blocks.error());
        BlockPool pool;
        pool.blocks_ = std::move(*blocks);
        return pool;
    }

    // kNoBlock when the bound is reached. The block's content is undefined.
    std::uint32_t take() {
        if (free_ != kNoBlock) {
            const std::uint32_t taken = free_;
            std::memcpy(&free_, static_cast<const void*>(&blocks_[taken]), sizeof free_);
            ++in_use_;
            return taken;
        }
        if (touched_ == blocks_.capacity()) return kNoBlock;
        ++in_use_;
        return touched_++;
    }

    void give_back(std::uint32_t block) {
        std::memcpy(static_cast<void*>(&blocks_[block]), &free_, sizeof free_);
        free_ = block;
        --in_use_;
    }

    T& operator[](std::uint32_t block) { return blocks_[block]; }
    const T& operator[](std::uint32_t block) const { return blocks_[block]; }
    std::size_t in_use() const { return in_use_; }
    std::size_t capacity() const { return blocks_.capacity(); }
    std::size_t resident_bytes() const { return blocks_.resident_bytes(); }

  private:
    ReservedArray<T> blocks_;
    std::uint32_t free_ = kNoBlock;
    std::uint32_t touched_ = 0;  // blocks below this have been in use at least once
    std::uint32_t in_use_ = 0;
};

}  // namespace millrace
