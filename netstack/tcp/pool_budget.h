#pragma once
// What new work may still take from a pool of mbufs. An eighth of every pool is kept for work that has begun:
// a segment that goes out again, the header before bytes sent by reference, an acknowledgment. Were all of
// them taken by bytes that wait to be sent, nothing could be sent to set them free.

#include <rte_mempool.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

namespace millrace::tcp {

class PoolBudget {
  public:
    explicit PoolBudget(rte_mempool* pool) : pool_(pool) {}

    // Counting visits the cache of every core: some microseconds, so not at each poll or append.
    void recount() {
        left_ = static_cast<std::int64_t>(rte_mempool_avail_count(pool_)) -
                static_cast<std::int64_t>(pool_->size / 8);
    }
    // Whether enough is left after `mbufs` for those who ask next: answers to a packet that has come, whose
    // sender looked before that there is room for them.
    bool spares(std::size_t mbufs) const {
        const std::int64_t for_answers = std::min<std::int64_t>(kForAnswers, pool_->size / 16 + 1);
        return left_ - static_cast<std::int64_t>(mbufs) >= for_answers;
    }
    // True when there were `mbufs`, which are now the caller's to allocate. Those given back since the last
    // count are not known.
    bool take(std::size_t mbufs) {
        if (static_cast<std::int64_t>(mbufs) > left_) return false;
        left_ -= static_cast<std::int64_t>(mbufs);
        return true;
    }

  private:
    static constexpr std::int64_t kForAnswers = 64;  // those to the longest packet are some ten

    rte_mempool* pool_;
    std::int64_t left_ = 0;
};

// What may still be kept of the mbufs that packets arrive in, by whoever keeps them: reassembly, the engine,
// the application. In the eighth that is left the acknowledgments arrive that set the others free: a shard
// that can receive nothing would stay so for ever.
class ReceiveBudget {
  public:
    ReceiveBudget() = default;
    // Pools which live longer; without any the budget has no end.
    explicit ReceiveBudget(std::vector<rte_mempool*> pools) : pools_(std::move(pools)) { recount(); }

    void recount() {
        left_ = std::numeric_limits<std::int64_t>::max();
        for (const rte_mempool* pool : pools_)
            left_ = std::min(left_, static_cast<std::int64_t>(rte_mempool_avail_count(pool)) -
                                        static_cast<std::int64_t>(pool->size / 8));
    }
    std::int64_t left() const { return left_; }
    bool spent() const { return left_ <= 0; }
    bool take(std::uint16_t mbufs) {
        if (left_ < mbufs) return false;
        left_ -= mbufs;
        return true;
    }

  private:
    std::vector<rte_mempool*> pools_;
    std::int64_t left_ = std::numeric_limits<std::int64_t>::max();
};

}  // namespace millrace::tcp
