#pragma once
// Bytes between two pages that fault when touched, so that a read or write outside them ends the test.

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <span>
#include <stdexcept>

namespace millrace::ws::test {

class Guarded {
  public:
    // At least `bytes` writable bytes: whole pages.
    explicit Guarded(std::size_t bytes)
        : page_(static_cast<std::size_t>(::sysconf(_SC_PAGESIZE))),
          size_((bytes + page_ - 1) / page_ * page_) {
        void* place = ::mmap(nullptr, size_ + 2 * page_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (place == MAP_FAILED) throw std::runtime_error("mmap");
        base_ = static_cast<std::byte*>(place);
        if (::mprotect(base_ + page_, size_, PROT_READ | PROT_WRITE) != 0)
            throw std::runtime_error("mprotect");
    }
    Guarded(const Guarded&) = delete;
    Guarded& operator=(const Guarded&) = delete;
    ~Guarded() { ::munmap(base_, size_ + 2 * page_); }

    std::span<std::byte> all() { return {base_ + page_, size_}; }
    // The last `n` bytes: the next one faults.
    std::span<std::byte> last(std::size_t n) { return all().last(n); }
    // The first `n` bytes: the one before faults.
    std::span<std::byte> first(std::size_t n) { return all().first(n); }

  private:
    std::size_t page_;
    std::size_t size_;
    std::byte* base_;
};

}  // namespace millrace::ws::test
