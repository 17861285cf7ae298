#include "netstack/base/reserved_array.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

namespace millrace {

void* reserve_pages(std::size_t bytes) {
    void* place =
        ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return place == MAP_FAILED ? nullptr : place;
}

void populate_pages(void* place, std::size_t bytes) {
    if (bytes == 0) return;
    (void)::madvise(place, bytes, MADV_HUGEPAGE);
    (void)::madvise(place, bytes, MADV_POPULATE_WRITE);
}

std::size_t resident_bytes(const void* place, std::size_t length) {
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    constexpr std::size_t kPagesAtOnce = 1 << 16;
    std::vector<unsigned char> present(kPagesAtOnce);
    const char* at = static_cast<const char*>(place);
    std::size_t total = 0;
    for (std::size_t done = 0; done < length; done += kPagesAtOnce * page) {
        const std::size_t part = std::min(length - done, kPagesAtOnce * page);
        if (::mincore(const_cast<char*>(at + done), part, present.data()) != 0) return total;
        const auto pages = static_cast<std::ptrdiff_t>((part + page - 1) / page);
        total += page * static_cast<std::size_t>(std::count_if(present.begin(), present.begin() + pages,
                                                               [](unsigned char p) { return p & 1; }));
    }
    return total;
}

}  // namespace millrace
