#include "netstack/port/pools.h"

#include <rte_eal.h>
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

namespace {

// As rte_pktmbuf_pool_create_by_ops() does, but packed: where bus addresses are virtual ones, an mbuf may lie
// across two pages, so without hugepages it does not take up one (or two) of its own.
rte_mempool* create_packed(const PoolOptions& options, unsigned cache) {
    rte_pktmbuf_pool_private about{};
    about.mbuf_data_room_size = options.data_room;
    about.mbuf_priv_size = options.private_bytes;
    const unsigned flags = rte_eal_iova_mode() == RTE_IOVA_VA ? RTE_MEMPOOL_F_NO_IOVA_CONTIG : 0u;
    rte_mempool* pool = rte_mempool_create_empty(
        unique_name(options.purpose).c_str(), options.mbufs,
        static_cast<unsigned>(sizeof(rte_mbuf)) + options.private_bytes + options.data_room, cache,
        sizeof about, SOCKET_ID_ANY, flags);
    if (!pool) return nullptr;
    int status = rte_mempool_set_ops_byname(pool, pool_ops(options.use), nullptr);
    if (status == 0) {
        rte_pktmbuf_pool_init(pool, &about);
        status = rte_mempool_populate_default(pool);
    }
    if (status < 0) {
        rte_mempool_free(pool);
        rte_errno = -status;
        return nullptr;
    }
    rte_mempool_obj_iter(pool, rte_pktmbuf_init, nullptr);
    return pool;
}

}  // namespace

Expected<Pool> Pool::create(const PoolOptions& options) {
    // The cache is what a burst needs and no more: what lies in it is out of reach of the pool's other side,
    // and is memory in circulation.
    constexpr unsigned kBurst = 64;
    const unsigned cache = std::min(kBurst, options.mbufs / 4);
    rte_mempool* pool = create_packed(options, cache);
    if (!pool)
        return fail("no memory for " + std::to_string(options.mbufs) + " packet buffers of " +
                    std::to_string(options.data_room) + " bytes (" + rte_strerror(rte_errno) +
                    "): give DPDK more memory (-m in --eal, or more hugepages) or use fewer cores");
    return Pool(pool);
}

bool Pool::in_one_piece() const {
    const std::size_t object = pool_->header_size + pool_->elt_size + pool_->trailer_size;
    const rte_mempool_memhdr* chunk = STAILQ_FIRST(&pool_->mem_list);
    return pool_->nb_mem_chunks == 1 && chunk->len < object * (pool_->populated_size + 1u);
}

}  // namespace millrace::net
