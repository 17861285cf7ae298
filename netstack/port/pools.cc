#include "netstack/port/pools.h"

#include <rte_errno.h>
#include <rte_lcore.h>

#include <algorithm>
#include <atomic>

namespace millrace::net {

std::string unique_name(std::string_view purpose) {
    static std::atomic<unsigned> next{0};
    return std::string(purpose) + '-' + std::to_string(next.fetch_add(1));
}

std::size_t bytes_in_use(const rte_mempool* pool) {
    return std::size_t{rte_mempool_in_use_count(pool)} *
           (pool->header_size + pool->elt_size + pool->trailer_size);
}

Expected<Pool> Pool::create(const PoolOptions& options) {
    // The cache is what a burst needs and no more: what lies in it is out of reach of the pool's other side.
    const unsigned cache = std::min({256u, options.mbufs / 4, unsigned{RTE_MEMPOOL_CACHE_MAX_SIZE}});
    rte_mempool* pool =
        rte_pktmbuf_pool_create_by_ops(unique_name(options.purpose).c_str(), options.mbufs, cache,
                                       options.private_bytes, options.data_room, SOCKET_ID_ANY, "ring_sp_sc");
    if (!pool)
        return fail("no memory for " + std::to_string(options.mbufs) + " packet buffers of " +
                    std::to_string(options.data_room) + " bytes (" + rte_strerror(rte_errno) +
                    "): give DPDK more memory (-m in --eal, or more hugepages) or use fewer cores");
    return Pool(pool);
}

}  // namespace millrace::net
