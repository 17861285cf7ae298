#pragma once
// How the main thread tells a shard what to do, and learns that it is done: two words, each written by one
// side. The shard looks once a loop; nobody waits on a lock, and no atomic is read and written in one step.
// What a shard has put down before done() may be read by the main thread until it gives the next order.

#include <atomic>
#include <cstdint>

namespace millrace::bench {

// Order: an enumeration of one byte.
template <class Order>
class Mailbox {
  public:
    // --- main thread ---
    void give(Order order) {
        number_ += 1;
        order_.store(number_ << 8 | static_cast<std::uint32_t>(order), std::memory_order_release);
    }
    bool is_done() const { return done_.load(std::memory_order_acquire) == number_; }

    // --- shard ---
    bool has_new() const { return order_.load(std::memory_order_relaxed) != taken_; }
    Order take() {
        taken_ = order_.load(std::memory_order_acquire);
        return static_cast<Order>(taken_ & 0xff);
    }
    void done() { done_.store(taken_ >> 8, std::memory_order_release); }

  private:
    static_assert(sizeof(Order) == 1);

    std::uint32_t number_ = 0;  // main thread's; at most 2^24 orders a run
    alignas(64) std::atomic<std::uint32_t> order_{0};
    std::uint32_t taken_ = 0;  // shard's
    alignas(64) std::atomic<std::uint32_t> done_{0};
};

}  // namespace millrace::bench
