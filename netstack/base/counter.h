#pragma once
// A statistic that one thread writes and any thread may read. Plain loads and stores: no atomic
// read-modify-write, hence one writer only.

#include <atomic>
#include <cstdint>

namespace millrace {

class Counter {
  public:
    void operator++() { add(1); }
    void add(std::uint64_t n) {
        value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
    }
    std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

  private:
    std::atomic<std::uint64_t> value_{0};
};

}  // namespace millrace
