#pragma once
// What one connection has yet to hand to the kernel: a list of blocks, the written ones first, then those
// that prepare() added and nothing has been written to yet.

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "netstack/uring/send_blocks.h"

namespace millrace::net::uring {

class SendQueue {
  public:
    std::uint32_t unsent() const { return unsent_; }

    // Makes room for `n` more bytes; false when the pool is dry, and then nothing has changed. The room lasts
    // until trim(), which the next flush does.
    bool prepare(SendBlocks& pool, std::size_t n);
    std::span<std::byte> room(SendBlocks& pool);
    void commit(SendBlocks& pool, std::size_t n);
    // All or nothing, by reference; takes away room that was prepared and not used.
    bool append(SendBlocks& pool, const Shared& shared);
    // Gives prepared blocks back that nothing was written to.
    void trim(SendBlocks& pool);

    // Unsent bytes from the front, into as many of `parts` as are needed; how many.
    std::size_t gather(SendBlocks& pool, std::span<iovec> parts) const;
    // The kernel has taken `n` bytes from the front.
    void consume(SendBlocks& pool, std::size_t n);
    void clear(SendBlocks& pool);

  private:
    void link_behind(SendBlocks& pool, BlockId place, BlockId first);
    void drop_list(SendBlocks& pool, BlockId first);

    // Plus one, so that an all-zero queue is an empty one. `tail_` is the block that is written to.
    BlockId head() const { return head_ - 1; }
    BlockId tail() const { return tail_ - 1; }

    std::uint32_t head_ = 0;
    std::uint32_t tail_ = 0;
    std::uint32_t unsent_ = 0;
};

static_assert(kNoBlock + 1 == 0);

}  // namespace millrace::net::uring
