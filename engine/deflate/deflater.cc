#include "engine/deflate/deflater.h"

#include <algorithm>

namespace millrace::ws {
namespace {

constexpr std::size_t kTailBytes = 4;  // 00 00 ff ff, which is not sent (section 7.2.1)

}  // namespace

void Deflater::begin(DeflateShape shape) {
    if (made_ && shape == shape_) {
        deflateReset(&stream_);
        return;
    }
    arena_.serve(stream_);
    // zlib has no window of 256 octets without its own header. Of 512, used without any reference back, none
    // reaches too far.
    const bool least = shape.window_bits == 8;
    deflateInit2(&stream_, Z_DEFAULT_COMPRESSION, Z_DEFLATED, least ? -9 : -shape.window_bits, shape.memory,
                 least ? Z_HUFFMAN_ONLY : Z_DEFAULT_STRATEGY);
    shape_ = shape;
    made_ = true;
}

std::size_t Deflater::compress(std::span<const std::span<std::byte>> parts, std::size_t size,
                               std::span<std::byte> out) {
    // zlib's counts have 32 bits; no message is longer than 1 GiB. The tail may stick out.
    const std::size_t room = std::min(out.size(), size + kTailBytes - 1);
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    stream_.avail_out = static_cast<unsigned>(room);
    for (std::size_t i = 0; i < parts.size(); ++i) {
        stream_.next_in = reinterpret_cast<Bytef*>(parts[i].data());
        stream_.avail_in = static_cast<unsigned>(parts[i].size());
        const bool last = i + 1 == parts.size();
        deflate(&stream_, last ? Z_SYNC_FLUSH : Z_NO_FLUSH);
        // With room left over all is flushed.
        if (stream_.avail_in != 0 || stream_.avail_out == 0) return 0;
    }
    return room - stream_.avail_out - kTailBytes;
}

}  // namespace millrace::ws
