#pragma once
// zlib streams in memory of a shard's own: each has a place that zlib fills once, when the stream is first
// used, so that nothing is allocated afterwards. Bounded; memory is taken as it is first needed, and what was
// given back last is used first.

#include <cstddef>
#include <cstdint>
#include <utility>

#include "netstack/base/reserved_array.h"

namespace millrace::ws {

// `Stream` is valid when its bytes are zero and has a member `next_free`.
template <class Stream>
class StreamPool {
  public:
    using Index = std::uint16_t;
    static constexpr Index kNone = 0;  // so that a zeroed slot holds none

    // At most 65,535.
    static Expected<StreamPool> create(std::uint32_t capacity) {
        auto streams = ReservedArray<Stream>::create(std::size_t{capacity} + 1);
        if (!streams) return tl::unexpected(streams.error());
        return StreamPool(std::move(*streams));
    }

    // kNone when the pool is dry, which refused() counts.
    Index take() {
        Index index = free_;
        if (index != kNone) {
            free_ = streams_[index].next_free;
        } else if (touched_ + 1 < streams_.capacity()) {
            index = static_cast<Index>(++touched_);
        } else {
            ++refused_;
            return kNone;
        }
        ++in_use_;
        return index;
    }

    // Gives `index` back and makes it kNone; nothing happens when it is.
    void give(Index& index) {
        if (index == kNone) return;
        streams_[index].next_free = free_;
        free_ = std::exchange(index, kNone);
        --in_use_;
    }

    Stream& operator[](Index index) { return streams_[index]; }

    std::uint32_t in_use() const { return in_use_; }
    std::uint32_t capacity() const { return static_cast<std::uint32_t>(streams_.capacity() - 1); }
    std::uint64_t refused() const { return refused_; }
    std::size_t memory_in_use() const { return streams_.resident_bytes(); }

  private:
    explicit StreamPool(ReservedArray<Stream> streams) : streams_(std::move(streams)) {}

    ReservedArray<Stream> streams_;  // the first is never used: it is kNone
    Index free_ = kNone;
    std::uint32_t touched_ = 0;  // streams that were ever taken
    std::uint32_t in_use_ = 0;
    std::uint64_t refused_ = 0;
};

}  // namespace millrace::ws
