#pragma once
// A first-in first-out list of connection slots, of which each is in it at most once (a flag in the
// connection sees to that), so that the number of slots bounds it.

#include <cstdint>

#include "netstack/base/error.h"
#include "netstack/base/reserved_array.h"

namespace millrace::tcp {

class SlotRing {
  public:
    static Expected<SlotRing> create(std::size_t slots) {
        auto ring = ReservedArray<std::uint32_t>::create(slots);
        if (!ring) return tl::unexpected(ring.error());
        SlotRing made;
        made.ring_ = std::move(*ring);
        return made;
    }

    bool empty() const { return count_ == 0; }
    std::size_t size() const { return count_; }
    std::uint32_t front() const { return ring_[first_]; }
    void push(std::uint32_t slot) {
        const std::size_t at = first_ + count_++;
        ring_[at < ring_.capacity() ? at : at - ring_.capacity()] = slot;
    }
    void pop() {
        if (++first_ == ring_.capacity()) first_ = 0;
        if (--count_ == 0) first_ = 0;  // short lists stay in the same few cache lines
    }
    std::size_t resident_bytes() const { return ring_.resident_bytes(); }

  private:
    ReservedArray<std::uint32_t> ring_;
    std::size_t first_ = 0;
    std::size_t count_ = 0;
};

}  // namespace millrace::tcp
