#pragma once
// Packet memory. A pool is used by one thread, or by one that takes and one other that gives back (a wire),
// with a per-lcore cache in front (see pool_order.h). Every pool has a bound; a dry pool refuses, and the
// caller counts it.

#include <rte_mbuf.h>
#include <rte_mempool.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "netstack/base/error.h"
#include "netstack/port/pool_order.h"

namespace millrace::net {

inline constexpr std::uint16_t kDataRoom =
    2048 + RTE_PKTMBUF_HEADROOM;                   // holds a frame of 1518 bytes and more
inline constexpr std::uint16_t kHeaderRoom = 256;  // headers only

struct PoolOptions {
    std::string_view purpose;  // short: part of the name that DPDK's tools show
    unsigned mbufs = 8192;
    std::uint16_t data_room = kDataRoom;
    std::uint16_t private_bytes = 0;  // multiple of 8
    PoolUse use = PoolUse::kOneThread;
};

// Bytes of the mbufs that are out of the pool. Not for a hot path: it looks at every lcore's cache.
std::size_t bytes_in_use(const rte_mempool* pool);

class Pool {
  public:
    static Expected<Pool> create(const PoolOptions& options);

    rte_mempool* get() const { return pool_.get(); }
    unsigned size() const { return pool_->size; }
    std::size_t bytes_in_use() const { return net::bytes_in_use(pool_.get()); }
    // Whether its mbufs lie side by side in one stretch of memory.
    bool in_one_piece() const;

  private:
    struct Free {
        void operator()(rte_mempool* pool) const { rte_mempool_free(pool); }
    };
    explicit Pool(rte_mempool* pool) : pool_(pool) {}
    std::unique_ptr<rte_mempool, Free> pool_;
};

// A name that no other DPDK object of this process has: "purpose-17".
std::string unique_name(std::string_view purpose);

}  // namespace millrace::net
