#pragma once

#include <cstdint>

namespace millrace::bench {

// The part of shard `index` of a number that `shards` shards have together.
constexpr std::uint64_t share(std::uint64_t total, unsigned index, std::size_t shards) {
    return total / shards + (index < total % shards ? 1 : 0);
}

}  // namespace millrace::bench
