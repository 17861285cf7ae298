#include "netstack/uring/send_queue.h"

#include <algorithm>
#include <cassert>

namespace millrace::net::uring {

void SendQueue::link_behind(SendBlocks& pool, BlockId place, BlockId first) {
    if (place == kNoBlock) {
        head_ = tail_ = first + 1;
    } else {
        pool[place].next = first;
    }
}

void SendQueue::drop_list(SendBlocks& pool, BlockId first) {
    while (first != kNoBlock) {
        const BlockId next = pool[first].next;
        pool.give_back(first);
        first = next;
    }
}

bool SendQueue::prepare(SendBlocks& pool, std::size_t n) {
    std::size_t have = 0;
    BlockId last = kNoBlock;
    for (BlockId id = tail(); id != kNoBlock; id = pool[id].next) {
        have += pool[id].room;
        last = id;
    }
    BlockId first_new = kNoBlock;
    BlockId last_new = kNoBlock;
    while (have < n) {
        const BlockId id = pool.take(n - have);
        if (id == kNoBlock) {
            drop_list(pool, first_new);
            return false;
        }
        have += pool[id].room;
        (first_new == kNoBlock ? first_new : pool[last_new].next) = id;
        last_new = id;
    }
    if (first_new != kNoBlock) link_behind(pool, last, first_new);
    return true;
}

std::span<std::byte> SendQueue::room(SendBlocks& pool) {
    if (tail() == kNoBlock) return {};
    while (pool[tail()].room == 0 && pool[tail()].next != kNoBlock)
        tail_ = pool[tail()].next + 1;
    const Block& block = pool[tail()];
    return {block.data + block.length, block.room};
}

void SendQueue::commit(SendBlocks& pool, std::size_t n) {
    if (n == 0) return;
    Block& block = pool[tail()];
    assert(n <= block.room);
    block.length += static_cast<std::uint32_t>(n);
    block.room -= static_cast<std::uint32_t>(n);
    unsent_ += static_cast<std::uint32_t>(n);
}

bool SendQueue::append(SendBlocks& pool, const Shared& shared) {
    if (shared.size() == 0) return true;
    trim(pool);
    BlockId first = kNoBlock;
    BlockId last = kNoBlock;
    for (BlockId from = shared.first(); from != kNoBlock; from = pool[from].next) {
        const BlockId id = pool.refer(pool[from].data, pool[from].length, shared.first());
        if (id == kNoBlock) {
            drop_list(pool, first);
            return false;
        }
        (first == kNoBlock ? first : pool[last].next) = id;
        last = id;
    }
    link_behind(pool, tail(), first);
    tail_ = last + 1;
    unsent_ += static_cast<std::uint32_t>(shared.size());
    return true;
}

void SendQueue::trim(SendBlocks& pool) {
    if (tail() == kNoBlock) return;
    drop_list(pool, std::exchange(pool[tail()].next, kNoBlock));
    if (unsent_ == 0) clear(pool);
}

std::size_t SendQueue::gather(SendBlocks& pool, std::span<iovec> parts) const {
    std::size_t used = 0;
    for (BlockId id = head(); id != kNoBlock && used < parts.size(); id = pool[id].next) {
        const Block& block = pool[id];
        if (block.length != 0) parts[used++] = {block.data, block.length};
    }
    return used;
}

void SendQueue::consume(SendBlocks& pool, std::size_t n) {
    assert(n <= unsent_);
    unsent_ -= static_cast<std::uint32_t>(n);
    while (n != 0) {
        Block& block = pool[head()];
        const auto part = static_cast<std::uint32_t>(std::min<std::size_t>(n, block.length));
        block.data += part;
        block.length -= part;
        n -= part;
        if (block.length != 0 || head_ == tail_) continue;
        const BlockId sent = head();
        head_ = block.next + 1;
        pool.give_back(sent);
    }
    if (unsent_ == 0) clear(pool);
}

void SendQueue::clear(SendBlocks& pool) {
    drop_list(pool, head());
    head_ = tail_ = unsent_ = 0;
}

}  // namespace millrace::net::uring
