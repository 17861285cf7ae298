#pragma once
// The order in which a pool hands out its mbufs: the one given back last first, while the caches still hold
// it. DPDK's own pools are rings, in which every mbuf is the one that has been out of use the longest: their
// whole memory goes through the caches however few mbufs are in use.

namespace millrace::net {

// Who uses a pool. Neither needs a lock or an atomic read-modify-write.
enum class PoolUse {
    kOneThread,
    kTakerAndGiver,  // one thread takes, one other gives back
};

// The name of the rte_mempool_ops that keep this order; registers them on the first call.
const char* pool_ops(PoolUse use);

}  // namespace millrace::net
