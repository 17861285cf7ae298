#pragma once
// mbufs fetched ahead, where thousands are under way and the near caches hold few of them.

#include <rte_lcore.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>

namespace millrace::net {

// Its description and what its owner keeps behind that.
inline void prefetch_mbuf(const rte_mbuf* segment) {
    const auto* lines = reinterpret_cast<const char*>(segment);
    for (unsigned line = 0; line < 3; ++line)
        __builtin_prefetch(lines + line * 64, 1);
}

// The mbufs that will be taken from a pool after the next few, as far as the core's own cache has them: the
// last that were given back may have gone from the near caches since.
inline void prefetch_next(const rte_mempool* pool) {
    constexpr unsigned kAhead = 4;
    const rte_mempool_cache* cache =
        rte_mempool_default_cache(const_cast<rte_mempool*>(pool), rte_lcore_id());
    if (cache != nullptr && cache->len > kAhead)
        prefetch_mbuf(static_cast<const rte_mbuf*>(cache->objs[cache->len - 1 - kAhead]));
}

}  // namespace millrace::net
