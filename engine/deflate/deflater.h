#pragma once
// RFC 7692 section 7.2.1: the sending half, a whole message at a time.

#include <cstdint>
#include <span>

#include "engine/deflate/arena.h"
#include "engine/deflate/stream_pool.h"

namespace millrace::ws {

// What a stream is made for; zlib's speed and memory follow from it.
struct DeflateShape {
    std::uint8_t window_bits = 15;  // 8 to 15
    // zlib's memLevel. The hash table that it sizes is cleared before each message without takeover: 64 KiB
    // of it take longer than a small message.
    std::uint8_t memory = 8;
    friend bool operator==(const DeflateShape&, const DeflateShape&) = default;
};

class Deflater {
  public:
    // For a new connection or, without takeover, a new message: nothing before is referred to.
    void begin(DeflateShape shape);
    // Compresses a message of `size` bytes in `parts` into `out`. The length of what it has become, or 0 when
    // that is not shorter, or longer than `out`: the message is then to be sent as it is, and begin() called
    // before the next, for the peer never sees what the stream now knows.
    std::size_t compress(std::span<const std::span<std::byte>> parts, std::size_t size,
                         std::span<std::byte> out);

  private:
    friend class StreamPool<Deflater>;

    z_stream stream_;
    Arena<272 * 1024> arena_;  // zlib 1.2.13 asks for 262 KiB where the window and memLevel are greatest
    DeflateShape shape_;
    bool made_;
    std::uint16_t next_free;
};

using DeflaterPool = StreamPool<Deflater>;

}  // namespace millrace::ws
