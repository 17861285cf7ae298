#pragma once
// How many subscribers messages had, of those that had any, as a histogram by powers of two: written by a
// shard, read by anyone.

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "netstack/base/counter.h"

namespace millrace::fanout {

class Breadth {
  public:
    static constexpr std::size_t kBuckets = 32;
    // The most subscribers that a bucket's messages had: 0, 1, 3, 7, ...; the last one has all above, too.
    static constexpr std::uint64_t bound(std::size_t bucket) { return (std::uint64_t{1} << bucket) - 1; }

    void add(std::uint32_t subscribers, std::uint32_t messages) {
        const auto bucket = static_cast<std::size_t>(std::bit_width(subscribers));
        messages_[std::min(bucket, kBuckets - 1)].add(messages);
    }
    std::uint64_t messages(std::size_t bucket) const { return messages_[bucket].value(); }

  private:
    std::array<Counter, kBuckets> messages_;
};

}  // namespace millrace::fanout
