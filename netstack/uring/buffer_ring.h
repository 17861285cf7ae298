#pragma once
// Provided buffers: where the kernel puts received bytes. It picks a buffer when bytes have come, so a
// connection at rest holds none. A buffer goes kernel -> Bytes (the engine may keep it) -> spare -> kernel.
//
// There are more buffers than the ring has entries, and their memory is taken as they are first used: what
// the engine keeps, or a paused connection holds, does not take from the other connections until the bound
// on all buffers is reached.

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "netstack/base/error.h"
#include "netstack/base/reserved_array.h"
#include "netstack/uring/ring.h"

namespace millrace::net::uring {

using BufferId = std::uint16_t;
inline constexpr BufferId kNoBuffer = 0xffff;

class BufferRing {
  public:
    // The one group of buffers on a carrier's ring.
    static constexpr std::uint16_t kGroup = 0;

    BufferRing() = default;
    BufferRing(const BufferRing&) = delete;
    BufferRing& operator=(const BufferRing&) = delete;
    ~BufferRing();

    // `entries`: buffers in the kernel's hands, a power of two up to 32768. `buffers`: all of them, at least
    // `entries`, below 65535. `size`: bytes of each. `ring` must outlive this.
    Expected<void> open(Ring& ring, unsigned entries, unsigned buffers, unsigned size);

    // The kernel has filled `id` with `length` bytes, says a completion.
    void taken(BufferId id, std::uint32_t length) {
        --in_ring_;
        notes_[id].length = length;
    }
    void give_back(BufferId id) {
        notes_[id].next = spare_;
        spare_ = id;
    }
    // Puts spare buffers into the ring: one store that the kernel sees, however many they are.
    void refill();

    // Buffers that the kernel may still fill, as far as its completions have been seen.
    unsigned available() const { return in_ring_; }

    std::span<std::byte> bytes(BufferId id) {
        return {memory_.data() + std::size_t{id} * size_, notes_[id].length};
    }
    // A list of buffers held for a connection runs through here.
    BufferId& next(BufferId id) { return notes_[id].next; }

    std::size_t memory_in_use() const;

  private:
    struct Note {
        std::uint32_t length;  // bytes that the kernel put in
        BufferId next;         // in the list of spare buffers, or of those held for a connection
    };

    Ring* owner_ = nullptr;
    ReservedArray<io_uring_buf> ring_memory_;
    io_uring_buf_ring* ring_ = nullptr;
    ReservedArray<std::byte> memory_;
    ReservedArray<Note> notes_;
    unsigned entries_ = 0;
    unsigned buffers_ = 0;
    unsigned size_ = 0;
    unsigned fresh_ = 0;  // buffers from here on have never been used
    unsigned in_ring_ = 0;
    BufferId spare_ = kNoBuffer;
};

// Received bytes and the right to keep them. Must not outlive its carrier.
class Bytes {
  public:
    Bytes() = default;
    Bytes(BufferRing& ring, BufferId id) : ring_(&ring), id_(id) {}
    Bytes(Bytes&& other) noexcept : ring_(std::exchange(other.ring_, nullptr)), id_(other.id_) {}
    Bytes& operator=(Bytes&& other) noexcept {
        if (this == &other) return *this;
        reset();
        ring_ = std::exchange(other.ring_, nullptr);
        id_ = other.id_;
        return *this;
    }
    ~Bytes() { reset(); }

    void reset() {
        if (ring_) std::exchange(ring_, nullptr)->give_back(id_);
    }
    std::span<std::byte> bytes() const { return ring_ ? ring_->bytes(id_) : std::span<std::byte>{}; }

  private:
    BufferRing* ring_ = nullptr;
    BufferId id_ = kNoBuffer;
};

}  // namespace millrace::net::uring
