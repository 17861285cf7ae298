#include "netstack/uring/send_blocks.h"

#include <algorithm>
#include <cstring>

namespace millrace::net::uring {

Expected<void> SendBlocks::open(BlockCounts counts) {
    auto blocks = ReservedArray<Block>::create(std::size_t{counts.small} + counts.large + counts.references);
    auto small = ReservedArray<std::byte>::create(std::size_t{counts.small} * kSmallBlock);
    auto large = ReservedArray<std::byte>::create(std::size_t{counts.large} * kLargeBlock);
    if (!blocks) return tl::unexpected(blocks.error());
    if (!small) return tl::unexpected(small.error());
    if (!large) return tl::unexpected(large.error());
    blocks_ = std::move(*blocks);
    small_memory_ = std::move(*small);
    large_memory_ = std::move(*large);

    const std::array<std::uint32_t, kKinds> count = {counts.small, counts.large, counts.references};
    std::uint32_t first = 0;
    for (int k = 0; k < kKinds; ++k) {
        classes_[k] = {.first = first, .count = count[k], .fresh = count[k], .free = count[k]};
        first += count[k];
    }
    return {};
}

std::byte* SendBlocks::memory(Kind kind, BlockId id) {
    switch (kind) {
        case kSmall:
            return small_memory_.data() + std::size_t{id} * kSmallBlock;
        case kLarge:
            return large_memory_.data() + std::size_t{id - classes_[kLarge].first} * kLargeBlock;
        default:
            return nullptr;
    }
}

BlockId SendBlocks::take_from(Kind kind) {
    Class& from = classes_[kind];
    BlockId id = from.freed;
    if (id != kNoBlock)
        from.freed = blocks_[id].next;
    else if (from.fresh != 0)
        id = from.first + (from.count - from.fresh--);
    else
        return kNoBlock;
    --from.free;
    const std::uint32_t room = kind == kSmall ? kSmallBlock : kind == kLarge ? kLargeBlock : 0;
    blocks_[id] = {memory(kind, id), 0, room, kNoBlock, kNoBlock, 0};
    return id;
}

BlockId SendBlocks::take(std::size_t n) {
    const Kind best = n <= kSmallBlock ? kSmall : kLarge;
    const BlockId id = take_from(best);
    return id != kNoBlock ? id : take_from(best == kSmall ? kLarge : kSmall);
}

BlockId SendBlocks::refer(std::byte* data, std::uint32_t length, BlockId owner) {
    const BlockId id = take_from(kReference);
    if (id == kNoBlock) return kNoBlock;
    blocks_[id].data = data;
    blocks_[id].length = length;
    blocks_[id].owner = owner;
    hold(owner);
    return id;
}

void SendBlocks::give_back(BlockId id) {
    const BlockId owner = std::exchange(blocks_[id].owner, kNoBlock);
    Class& to = classes_[kind(id)];
    blocks_[id].next = to.freed;
    to.freed = id;
    ++to.free;
    if (owner != kNoBlock) let_go(owner);
}

BlockId SendBlocks::share(std::span<const std::byte> bytes) {
    BlockId first = kNoBlock;
    BlockId last = kNoBlock;
    do {
        const BlockId id = take(bytes.size());
        if (id == kNoBlock) {
            if (first != kNoBlock) {
                blocks_[first].uses = 1;
                let_go(first);
            }
            return kNoBlock;
        }
        Block& block = blocks_[id];
        block.length = static_cast<std::uint32_t>(std::min<std::size_t>(block.room, bytes.size()));
        block.room = 0;
        std::memcpy(block.data, bytes.data(), block.length);  // the one copy: every receiver refers to it
        bytes = bytes.subspan(block.length);
        (first == kNoBlock ? first : blocks_[last].next) = id;
        last = id;
    } while (!bytes.empty());
    blocks_[first].uses = 1;
    return first;
}

void SendBlocks::let_go(BlockId shared) {
    if (--blocks_[shared].uses != 0) return;
    while (shared != kNoBlock) {
        const BlockId next = blocks_[shared].next;
        give_back(shared);
        shared = next;
    }
}

bool SendBlocks::under_pressure() const {
    return std::any_of(classes_.begin(), classes_.end(),
                       [](const Class& c) { return c.count != 0 && c.free <= c.count / 16; });
}

bool SendBlocks::all_free() const {
    return std::all_of(classes_.begin(), classes_.end(), [](const Class& c) { return c.free == c.count; });
}

std::size_t SendBlocks::memory_in_use() const {
    const auto used = [this](Kind kind) { return std::size_t{classes_[kind].count - classes_[kind].free}; };
    return used(kSmall) * kSmallBlock + used(kLarge) * kLargeBlock + blocks_.resident_bytes();
}

}  // namespace millrace::net::uring
