#pragma once
// An array whose address space is reserved once for its bound, and whose memory is taken page by page as
// indices are first touched. Growing it never moves an element and never stalls a shard, and an index is
// one multiplication away from its element: this is what connection slabs and hash tables stand on.

#include <sys/mman.h>

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <type_traits>
#include <utility>

#include "netstack/base/error.h"

namespace millrace {

// Address space of so many bytes, whose pages are zeroed and taken when they are first touched; null when
// there is none left. munmap() gives it back.
void* reserve_pages(std::size_t bytes);

// Takes the memory of so many bytes from `place` on now, in huge pages where the machine gives them: nothing
// that touches them later waits for the kernel, nor do the other threads, whom it would interrupt. As far as
// there is memory; Linux 5.14 and later, else nothing happens.
void populate_pages(void* place, std::size_t bytes);

// T must be valid when all its bytes are zero: fresh pages arrive zeroed and no constructor runs.
template <class T>
requires std::is_trivially_destructible_v<T>
class ReservedArray {
  public:
    static Expected<ReservedArray> create(std::size_t capacity) {
        void* place = reserve_pages(capacity * sizeof(T));
        if (place == nullptr)
            return fail("cannot reserve address space for " + std::to_string(capacity) +
                        " entries: lower --max-connections or raise the limit on virtual memory (ulimit -v)");
        return ReservedArray(static_cast<T*>(place), capacity);
    }

    ReservedArray() = default;
    ReservedArray(ReservedArray&& other) noexcept
        : data_(std::exchange(other.data_, nullptr)), capacity_(std::exchange(other.capacity_, 0)) {}
    ReservedArray& operator=(ReservedArray&& other) noexcept {
        std::swap(data_, other.data_);
        std::swap(capacity_, other.capacity_);
        return *this;
    }
    ~ReservedArray() {
        if (data_) ::munmap(data_, capacity_ * sizeof(T));
    }

    T& operator[](std::size_t i) {
        assert(i < capacity_);
        return data_[i];
    }
    const T& operator[](std::size_t i) const {
        assert(i < capacity_);
        return data_[i];
    }
    T* data() { return data_; }
    const T* data() const { return data_; }
    std::size_t capacity() const { return capacity_; }

    // Takes the memory of the first `count` elements, at most all, now; see populate_pages(). For set-up.
    void populate(std::size_t count) { populate_pages(data_, std::min(count, capacity_) * sizeof(T)); }

    // Bytes of this array that the kernel has backed with memory (measured with mincore, page by page; not
    // for a hot path).
    std::size_t resident_bytes() const;

  private:
    ReservedArray(T* data, std::size_t capacity) : data_(data), capacity_(capacity) {}

    T* data_ = nullptr;
    std::size_t capacity_ = 0;
};

// Resident bytes of any mapped range; `place` must be page-aligned.
std::size_t resident_bytes(const void* place, std::size_t length);

template <class T>
requires std::is_trivially_destructible_v<T> std::size_t ReservedArray<T>::resident_bytes()
const {
    return data_ ? millrace::resident_bytes(data_, capacity_ * sizeof(T)) : 0;
}

}  // namespace millrace
