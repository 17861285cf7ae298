#pragma once
// Bytes that end where a page without access begins, so that reading past them faults.

#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <string_view>

namespace millrace::test {

class GuardedBytes {
  public:
    explicit GuardedBytes(std::size_t capacity) {
        const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
        usable_ = (capacity + page - 1) / page * page;
        size_ = usable_ + page;
        base_ = static_cast<char*>(
            ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
        ::mprotect(base_ + usable_, page, PROT_NONE);
    }
    ~GuardedBytes() { ::munmap(base_, size_); }
    GuardedBytes(const GuardedBytes&) = delete;
    GuardedBytes& operator=(const GuardedBytes&) = delete;

    // A copy of `bytes` that ends at the guard page; valid until the next call.
    std::string_view hold(std::string_view bytes) {
        char* const at = base_ + usable_ - bytes.size();
        std::memcpy(at, bytes.data(), bytes.size());
        return {at, bytes.size()};
    }

  private:
    char* base_;
    std::size_t usable_;
    std::size_t size_;
};

}  // namespace millrace::test
