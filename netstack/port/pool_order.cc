#include "netstack/port/pool_order.h"

#include <rte_mempool.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <memory>
#include <new>
#include <string_view>

#include "netstack/base/spsc_ring.h"

namespace millrace::net {
namespace {

// What is free, the newest on top. Any thread may read its size.
class FreeStack {
  public:
    explicit FreeStack(unsigned capacity) : free_(std::make_unique<void*[]>(capacity)), capacity_(capacity) {}

    void push(void* const* objects, unsigned n) {
        std::memcpy(&free_[size()], objects, n * sizeof(void*));
        set_size(size() + n);
    }
    bool pop(void** objects, unsigned n) {
        if (n > size()) return false;
        set_size(size() - n);
        std::memcpy(objects, &free_[size()], n * sizeof(void*));
        return true;
    }
    // All that `ring` has.
    void push_from(SpscRing<void*>& ring) {
        set_size(size() + static_cast<unsigned>(ring.pop({&free_[size()], capacity_ - size()})));
    }
    unsigned size() const { return size_.load(std::memory_order_relaxed); }

  private:
    void set_size(unsigned size) { size_.store(size, std::memory_order_relaxed); }

    std::unique_ptr<void*[]> free_;
    unsigned capacity_;
    std::atomic<unsigned> size_{0};
};

class OneThread {
  public:
    explicit OneThread(unsigned capacity) : free_(capacity) {}
    void give(void* const* objects, unsigned n) { free_.push(objects, n); }
    bool take(void** objects, unsigned n) { return free_.pop(objects, n); }
    unsigned count() const { return free_.size(); }

  private:
    FreeStack free_;
};

// What was given back goes on top of the taker's stack, where it is taken next: no more mbufs are in use than
// are on their way, and the rest of the pool is not touched.
class TakerAndGiver {
  public:
    explicit TakerAndGiver(unsigned capacity) : given_back_(capacity), free_(capacity) {}
    void give(void* const* objects, unsigned n) { given_back_.push(std::span(objects, n)); }
    bool take(void** objects, unsigned n) {
        free_.push_from(given_back_);
        return free_.pop(objects, n);
    }
    unsigned count() const { return free_.size() + static_cast<unsigned>(given_back_.size()); }

  private:
    SpscRing<void*> given_back_;
    FreeStack free_;
};

template <class Order>
rte_mempool_ops ops(std::string_view name) {
    rte_mempool_ops ops{};
    name.copy(ops.name, sizeof ops.name - 1);
    static constexpr auto of = [](const rte_mempool* pool) -> Order& {
        return *static_cast<Order*>(pool->pool_data);
    };
    ops.alloc = [](rte_mempool* pool) {
        pool->pool_data = new (std::nothrow) Order(pool->size);
        return pool->pool_data != nullptr ? 0 : -ENOMEM;
    };
    ops.free = [](rte_mempool* pool) { delete &of(pool); };
    ops.enqueue = [](rte_mempool* pool, void* const* objects, unsigned n) {
        of(pool).give(objects, n);
        return 0;
    };
    ops.dequeue = [](rte_mempool* pool, void** objects, unsigned n) {
        return of(pool).take(objects, n) ? 0 : -ENOBUFS;
    };
    ops.get_count = [](const rte_mempool* pool) { return of(pool).count(); };
    return ops;
}

}  // namespace

const char* pool_ops(PoolUse use) {
    static const rte_mempool_ops one_thread = ops<OneThread>("millrace-one-thread");
    static const rte_mempool_ops taker_and_giver = ops<TakerAndGiver>("millrace-taker-giver");
    [[maybe_unused]] static const bool registered =
        rte_mempool_register_ops(&one_thread) >= 0 && rte_mempool_register_ops(&taker_and_giver) >= 0;
    return use == PoolUse::kOneThread ? one_thread.name : taker_and_giver.name;
}

}  // namespace millrace::net
