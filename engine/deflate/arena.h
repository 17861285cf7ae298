#pragma once
// The memory that a zlib stream is given: a part of it for each of zlib's requests, in turn, and none back
// before the stream is begun again.

#include <zlib.h>

#include <cstddef>
#include <cstdint>

namespace millrace::ws {

template <std::size_t kBytes>
class Arena {
  public:
    // Makes `stream` ask here from its Init on.
    void serve(z_stream& stream) {
        used_ = 0;
        stream.zalloc = [](void* arena, unsigned items, unsigned size) {
            return static_cast<Arena*>(arena)->take(std::size_t{items} * size);
        };
        stream.zfree = [](void*, void*) {};
        stream.opaque = this;
    }

  private:
    void* take(std::size_t bytes) {
        const std::size_t rounded = (bytes + 63) & ~std::size_t{63};
        if (rounded > kBytes - used_) return nullptr;
        used_ += rounded;
        return bytes_ + used_ - rounded;
    }

    std::size_t used_;
    alignas(64) std::byte bytes_[kBytes];
};

}  // namespace millrace::ws
