#pragma once
// Connections that wait for something, in the order in which they began to: doubly linked through their
// slots, so that a connection that ends leaves every list at once. All-zero is "in no list".

#include <cstdint>

#include "netstack/base/reserved_array.h"

namespace millrace {

struct Link {
    std::uint32_t next = 0;  // index plus one, kEnd behind the last; 0: not in the list
    std::uint32_t previous = 0;
};

template <class Slot, Link Slot::*Member>
class SlotList {
  public:
    explicit SlotList(ReservedArray<Slot>& slots) : slots_(slots) {}

    bool empty() const { return first_ == kEnd; }
    std::uint32_t front() const { return first_ - 1; }
    bool contains(std::uint32_t i) const { return (slots_[i].*Member).next != 0; }

    void push_back(std::uint32_t i) {
        if (contains(i)) return;
        link(i) = {kEnd, last_};
        (last_ == kEnd ? first_ : link(last_ - 1).next) = i + 1;
        last_ = i + 1;
    }

    void remove(std::uint32_t i) {
        if (!contains(i)) return;
        const Link here = link(i);
        (here.previous == kEnd ? first_ : link(here.previous - 1).next) = here.next;
        (here.next == kEnd ? last_ : link(here.next - 1).previous) = here.previous;
        link(i) = {};
    }

    std::uint32_t pop_front() {
        const std::uint32_t i = front();
        remove(i);
        return i;
    }

  private:
    static constexpr std::uint32_t kEnd = 0xffffffff;
    Link& link(std::uint32_t i) { return slots_[i].*Member; }

    ReservedArray<Slot>& slots_;
    std::uint32_t first_ = kEnd;
    std::uint32_t last_ = kEnd;
};

}  // namespace millrace
