#include "netstack/uring/buffer_ring.h"

#include <bit>
#include <cerrno>
#include <cstring>

namespace millrace::net::uring {

BufferRing::~BufferRing() {
    if (ring_) io_uring_unregister_buf_ring(&owner_->raw(), kGroup);
}

Expected<void> BufferRing::open(Ring& ring, unsigned entries, unsigned buffers, unsigned size) {
    if (!std::has_single_bit(entries) || entries > 32768 || buffers < entries || buffers >= kNoBuffer ||
        size == 0)
        return fail("a ring of " + std::to_string(entries) + " receive buffers of " +
                    std::to_string(buffers) +
                    " is not possible: give a power of two up to 32768, and between that and 65534 buffers");
    auto ring_memory = ReservedArray<io_uring_buf>::create(entries);
    auto memory = ReservedArray<std::byte>::create(std::size_t{buffers} * size);
    auto notes = ReservedArray<Note>::create(buffers);
    if (!ring_memory) return tl::unexpected(ring_memory.error());
    if (!memory) return tl::unexpected(memory.error());
    if (!notes) return tl::unexpected(notes.error());
    ring_memory_ = std::move(*ring_memory);
    memory_ = std::move(*memory);
    notes_ = std::move(*notes);

    io_uring_buf_reg registration{};
    registration.ring_addr = reinterpret_cast<std::uintptr_t>(ring_memory_.data());
    registration.ring_entries = entries;
    registration.bgid = kGroup;
    if (const int result = io_uring_register_buf_ring(&ring.raw(), &registration, 0); result < 0)
        return fail("the ring of receive buffers cannot be registered (" +
                    std::string(std::strerror(-result)) +
                    "): raise the limit on locked memory (ulimit -l) or use Linux 6.0 or newer");
    owner_ = &ring;
    ring_ = reinterpret_cast<io_uring_buf_ring*>(ring_memory_.data());
    io_uring_buf_ring_init(ring_);
    entries_ = entries;
    buffers_ = buffers;
    size_ = size;
    refill();
    return {};
}

void BufferRing::refill() {
    int added = 0;
    const int mask = io_uring_buf_ring_mask(entries_);
    while (in_ring_ < entries_) {
        BufferId id;
        if (spare_ != kNoBuffer) {
            id = spare_;
            spare_ = notes_[id].next;
        } else if (fresh_ < buffers_) {
            id = static_cast<BufferId>(fresh_++);
        } else {
            break;
        }
        io_uring_buf_ring_add(ring_, memory_.data() + std::size_t{id} * size_, size_, id, mask, added++);
        ++in_ring_;
    }
    if (added) io_uring_buf_ring_advance(ring_, added);
}

std::size_t BufferRing::memory_in_use() const {
    return ring_memory_.resident_bytes() + memory_.resident_bytes() + notes_.resident_bytes();
}

}  // namespace millrace::net::uring
