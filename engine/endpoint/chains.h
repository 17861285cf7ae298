#pragma once
// Memory for what does not lie in one receive buffer: a message that spans several, a request head that was
// cut. Received bytes are copied into a chain of blocks (named copy: a slow sender of a large message would
// otherwise pin the receive pool that all connections of the shard share). A chain exists only while there is
// something to hold; the pool is bounded, and its pages are taken as they are first used.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "netstack/base/reserved_array.h"

namespace millrace {

// A chain by the index of its first block; kNoChain when there is none.
using ChainId = std::uint32_t;
inline constexpr ChainId kNoChain = 0;

class ChainPool {
  public:
    static constexpr std::size_t kBlockBytes = 16 * 1024 - 16;

    static Expected<ChainPool> create(std::size_t bytes) {
        auto blocks = ReservedArray<Block>::create(std::max<std::size_t>(bytes / sizeof(Block), 1) + 1);
        if (!blocks) return tl::unexpected(blocks.error());
        return ChainPool(std::move(*blocks));
    }

    // Appends a copy of `bytes` to `chain`, which begins one when it is kNoChain. All or nothing: false when
    // the pool is used up.
    bool append(ChainId& chain, std::span<const std::byte> bytes) {
        if (chain == kNoChain && bytes.empty()) return true;
        if (!has_room_for(chain, bytes.size())) return false;
        if (chain == kNoChain) chain = begin();
        blocks_[chain].total += static_cast<std::uint32_t>(bytes.size());
        while (!bytes.empty()) {
            Block* last = &blocks_[blocks_[chain].last];
            if (last->used == kBlockBytes) last = add_block(chain);
            const std::size_t part = std::min(bytes.size(), kBlockBytes - last->used);
            std::memcpy(last->bytes + last->used, bytes.data(), part);
            last->used += static_cast<std::uint16_t>(part);
            bytes = bytes.subspan(part);
        }
        return true;
    }

    // Room at the end of `chain`, which begins one when it is kNoChain; empty when the pool is used up.
    // commit() says how much of it was written.
    std::span<std::byte> room(ChainId& chain) {
        if (!has_room_for(chain, 1)) return {};
        if (chain == kNoChain) chain = begin();
        Block* last = &blocks_[blocks_[chain].last];
        if (last->used == kBlockBytes) last = add_block(chain);
        return std::span(last->bytes).subspan(last->used);
    }
    void commit(ChainId chain, std::size_t bytes) {
        blocks_[chain].total += static_cast<std::uint32_t>(bytes);
        Block& last = blocks_[blocks_[chain].last];
        last.used = static_cast<std::uint16_t>(last.used + bytes);
    }

    std::size_t size(ChainId chain) const { return chain == kNoChain ? 0 : blocks_[chain].total; }

    // The chain's bytes, a span a block, appended to `parts`.
    void parts(ChainId chain, std::vector<std::span<std::byte>>& parts) {
        for (std::uint32_t at = chain; at != kNoChain; at = blocks_[at].next)
            parts.push_back({blocks_[at].bytes, blocks_[at].used});
    }

    // The first block's bytes: a whole request head, whose bound (http::Limits) is no more than a block.
    std::span<std::byte> front(ChainId chain) { return {blocks_[chain].bytes, blocks_[chain].used}; }

    // The first block of `chain` as a chain of its own; `chain` goes on behind it.
    ChainId take_front(ChainId& chain) {
        const ChainId front = chain;
        Block& first = blocks_[front];
        chain = first.next;
        if (chain != kNoChain) {
            blocks_[chain].last = first.last;
            blocks_[chain].total = first.total - first.used;
        }
        first.next = kNoChain;
        first.last = front;
        first.total = first.used;
        return front;
    }

    // The opposite, of a block whose last bytes `rest` are: they are `chain`'s first again.
    void put_back(ChainId& chain, ChainId front, std::span<const std::byte> rest) {
        Block& first = blocks_[front];
        std::memmove(first.bytes, rest.data(), rest.size());
        first.used = static_cast<std::uint16_t>(rest.size());
        first.next = chain;
        first.last = chain == kNoChain ? front : blocks_[chain].last;
        first.total = first.used + static_cast<std::uint32_t>(size(chain));
        chain = front;
    }

    void release(ChainId& chain) {
        while (chain != kNoChain) {
            const std::uint32_t next = blocks_[chain].next;
            blocks_[chain].next = free_;
            free_ = chain;
            --in_use_;
            chain = next;
        }
    }

    std::size_t blocks_in_use() const { return in_use_; }
    std::size_t memory_in_use() const { return blocks_.resident_bytes(); }

  private:
    struct Block {
        std::uint32_t next;
        std::uint32_t last;   // first block of a chain only
        std::uint32_t total;  // first block of a chain only: bytes of the chain
        std::uint16_t used;
        std::uint16_t unused;
        std::byte bytes[kBlockBytes];
    };

    explicit ChainPool(ReservedArray<Block> blocks) : blocks_(std::move(blocks)) {}

    bool has_room_for(ChainId chain, std::size_t bytes) const {
        const std::size_t here = chain == kNoChain ? 0 : kBlockBytes - blocks_[blocks_[chain].last].used;
        if (bytes <= here) return true;
        const std::size_t needed = (bytes - here + kBlockBytes - 1) / kBlockBytes;
        return in_use_ + needed < blocks_.capacity();
    }

    std::uint32_t take() {
        std::uint32_t block = free_;
        if (block != kNoChain)
            free_ = blocks_[block].next;
        else
            block = ++touched_;
        ++in_use_;
        blocks_[block].next = kNoChain;
        blocks_[block].used = 0;
        return block;
    }

    ChainId begin() {
        const std::uint32_t block = take();
        blocks_[block].last = block;
        blocks_[block].total = 0;
        return block;
    }

    Block* add_block(ChainId chain) {
        const std::uint32_t block = take();
        blocks_[blocks_[chain].last].next = block;
        blocks_[chain].last = block;
        return &blocks_[block];
    }

    ReservedArray<Block> blocks_;  // index 0 is never used: it is kNoChain
    std::uint32_t free_ = kNoChain;
    std::uint32_t touched_ = 0;
    std::size_t in_use_ = 0;
};

}  // namespace millrace
