#pragma once
// A bounded queue from one thread to one other: the only way by which shards reach each other. Each side
// keeps its own index and a copy of the other's, so that the shared lines are read only when the copy says
// full or empty. No atomic read-modify-write.

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <memory>
#include <span>
#include <utility>

namespace millrace {

template <class T>
class SpscRing {
  public:
    // Holds `capacity` elements, rounded up to a power of two.
    explicit SpscRing(std::size_t capacity)
        : mask_(std::bit_ceil(capacity) - 1), slots_(std::make_unique<T[]>(mask_ + 1)) {}

    // The sender's side. False when the ring is full: `value` is then untouched.
    bool push(T&& value) {
        if (free_slots() == 0) return false;
        slots_[sender_.mine & mask_] = std::move(value);
        head_.store(++sender_.mine, std::memory_order_release);
        return true;
    }
    bool push(const T& value) { return push(T(value)); }
    // All of them or, where they do not fit, none.
    bool push(std::span<const T> values) {
        if (free_slots(values.size()) < values.size()) return false;
        for (const T& value : values)
            slots_[sender_.mine++ & mask_] = value;
        head_.store(sender_.mine, std::memory_order_release);
        return true;
    }
    // Slots that push() will surely find; looks for more only when there are fewer than `wanted`.
    std::size_t free_slots(std::size_t wanted = 1) {
        if (sender_.mine - sender_.theirs + wanted > mask_ + 1)
            sender_.theirs = tail_.load(std::memory_order_acquire);
        return mask_ + 1 - (sender_.mine - sender_.theirs);
    }

    // The receiver's side: moves out at most out.size() elements, oldest first; returns how many.
    std::size_t pop(std::span<T> out) {
        if (receiver_.theirs - receiver_.mine < out.size())
            receiver_.theirs = head_.load(std::memory_order_acquire);
        const std::size_t n = std::min(out.size(), receiver_.theirs - receiver_.mine);
        for (std::size_t i = 0; i < n; ++i)
            out[i] = std::move(slots_[(receiver_.mine + i) & mask_]);
        if (n != 0) {
            receiver_.mine += n;
            tail_.store(receiver_.mine, std::memory_order_release);
        }
        return n;
    }
    bool pop(T& out) { return pop(std::span<T>(&out, 1)) == 1; }

    // Any thread's: how many there were a moment ago.
    std::size_t size() const {
        const std::size_t tail = tail_.load(std::memory_order_relaxed);
        return head_.load(std::memory_order_relaxed) - tail;
    }
    std::size_t capacity() const { return mask_ + 1; }

  private:
    // Indices count up without wrapping to the ring's size; each line below has one writer.
    struct Side {
        std::size_t mine = 0;
        std::size_t theirs = 0;
    };
    const std::size_t mask_;
    std::unique_ptr<T[]> slots_;
    alignas(64) std::atomic<std::size_t> head_{0};
    alignas(64) Side sender_;
    alignas(64) std::atomic<std::size_t> tail_{0};
    alignas(64) Side receiver_;
};

}  // namespace millrace
