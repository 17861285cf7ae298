#pragma once
// One timer a connection, as a heap of deadlines. Timers are lazy: one that is put off or cancelled stays
// where it is in the heap and is looked at again when it comes up, so the usual "later than before" of an
// idle timeout costs one store. A heap, because its top bounds how long an idle shard may sleep.

#include <cstddef>
#include <cstdint>
#include <optional>

#include "netstack/base/error.h"
#include "netstack/base/reserved_array.h"
#include "netstack/base/time.h"

namespace millrace::net::uring {

class Timers {
  public:
    Expected<void> open(std::size_t connections) {
        auto heap = ReservedArray<Entry>::create(connections);
        auto wanted = ReservedArray<Wanted>::create(connections);
        if (!heap) return tl::unexpected(heap.error());
        if (!wanted) return tl::unexpected(wanted.error());
        heap_ = std::move(*heap);
        wanted_ = std::move(*wanted);
        return {};
    }

    void set(std::uint32_t connection, Time deadline) {
        Wanted& wanted = wanted_[connection];
        wanted.deadline = deadline;
        if (wanted.position == 0) {
            const std::size_t last = size_++;
            place(last, {deadline, connection});
            sift_up(last);
        } else if (deadline < heap_[wanted.position - 1].deadline) {
            heap_[wanted.position - 1].deadline = deadline;
            sift_up(wanted.position - 1);
        }
    }

    void cancel(std::uint32_t connection) {
        if (wanted_[connection].position != 0) wanted_[connection].deadline = kNever;
    }

    // The next connection whose time has come, if any; its timer is then off.
    std::optional<std::uint32_t> expire(Time now) {
        while (size_ != 0 && heap_[0].deadline <= now) {
            const std::uint32_t connection = heap_[0].connection;
            const Time deadline = wanted_[connection].deadline;
            if (deadline == kNever || deadline <= now)
                remove_top();
            else
                put_off_top(deadline);
            if (deadline <= now) return connection;
        }
        return std::nullopt;
    }

    // No timer is due before this.
    Time next() const { return size_ == 0 ? kNever : heap_[0].deadline; }

    std::size_t memory_in_use() const { return heap_.resident_bytes() + wanted_.resident_bytes(); }

  private:
    struct Entry {
        Time deadline;  // at or before the wanted one
        std::uint32_t connection;
    };
    struct Wanted {
        Time deadline;           // kNever: cancelled
        std::uint32_t position;  // in the heap, plus one; 0: not in it
    };

    void place(std::size_t at, Entry entry) {
        heap_[at] = entry;
        wanted_[entry.connection].position = static_cast<std::uint32_t>(at + 1);
    }

    void sift_up(std::size_t at) {
        const Entry entry = heap_[at];
        while (at != 0 && entry.deadline < heap_[(at - 1) / 2].deadline) {
            place(at, heap_[(at - 1) / 2]);
            at = (at - 1) / 2;
        }
        place(at, entry);
    }

    void sift_down(std::size_t at, Entry entry) {
        for (;;) {
            std::size_t child = 2 * at + 1;
            if (child >= size_) break;
            if (child + 1 < size_ && heap_[child + 1].deadline < heap_[child].deadline) ++child;
            if (entry.deadline <= heap_[child].deadline) break;
            place(at, heap_[child]);
            at = child;
        }
        place(at, entry);
    }

    void remove_top() {
        wanted_[heap_[0].connection].position = 0;
        if (--size_ != 0) sift_down(0, heap_[size_]);
    }

    void put_off_top(Time deadline) { sift_down(0, {deadline, heap_[0].connection}); }

    ReservedArray<Entry> heap_;
    ReservedArray<Wanted> wanted_;
    std::size_t size_ = 0;
};

}  // namespace millrace::net::uring
