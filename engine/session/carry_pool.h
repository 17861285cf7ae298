#pragma once
// What frames cut between two buffers leave behind, and the bounded pool it comes from.

#include <cstddef>
#include <cstdint>
#include <utility>

#include "netstack/base/error.h"
#include "netstack/base/reserved_array.h"

namespace millrace::ws {

// A frame's bytes so far, from its first header byte: a header that is not whole, or a control frame that is
// not whole, whose header is at most 6 bytes and whose payload at most 125. It exists only while there is
// something to hold.
struct Carry {
    static constexpr std::size_t kCapacity = 6 + 125;
    std::byte bytes[kCapacity];
    std::uint8_t size;
    std::uint32_t next_free;
};
static_assert(sizeof(Carry) == 136);

// A free list of Carry by index, one a shard. Memory is taken as it is first needed and used last in, first
// out. When it is dry the session that needs one fails with 1013, which refused() counts.
class CarryPool {
  public:
    using Index = std::uint32_t;
    static constexpr Index kNone = 0xffffffff;

    static Expected<CarryPool> create(std::uint32_t capacity) {
        auto places = ReservedArray<Carry>::create(capacity);
        if (!places) return tl::unexpected<Error>(std::move(places.error()));
        return CarryPool(std::move(*places));
    }

    // An empty Carry, or kNone when the pool is dry.
    Index take() {
        Index index = free_;
        if (index != kNone) {
            free_ = places_[index].next_free;
        } else if (touched_ < places_.capacity()) {
            index = touched_++;
        } else {
            ++refused_;
            return kNone;
        }
        places_[index].size = 0;
        ++in_use_;
        return index;
    }

    void give(Index index) {
        places_[index].next_free = free_;
        free_ = index;
        --in_use_;
    }

    Carry& operator[](Index index) { return places_[index]; }

    std::uint32_t in_use() const { return in_use_; }
    std::size_t capacity() const { return places_.capacity(); }
    std::uint64_t refused() const { return refused_; }
    std::size_t memory_in_use() const { return touched_ * sizeof(Carry); }

  private:
    explicit CarryPool(ReservedArray<Carry> places) : places_(std::move(places)) {}

    ReservedArray<Carry> places_;
    Index free_ = kNone;
    std::uint32_t touched_ = 0;  // places that were ever taken
    std::uint32_t in_use_ = 0;
    std::uint64_t refused_ = 0;
};

}  // namespace millrace::ws
