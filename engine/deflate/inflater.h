#pragma once
// RFC 7692 section 7.2.2: the receiving half. A stream takes a message's compressed pieces and yields its
// bytes, as much at a time as there is room for.

#include <cstdint>
#include <span>

#include "engine/deflate/arena.h"
#include "engine/deflate/stream_pool.h"
#include "engine/utf8/utf8.h"

namespace millrace::ws {

enum class InflateStatus : std::uint8_t {
    kMore,     // `out` is full, and there may be more: call again with more room
    kTaken,    // all of `in` is used, and all that it says is out
    kCorrupt,  // not DEFLATE data, or data that refer to what never was
};

class Inflater {
  public:
    // For a new connection or, without takeover, a new message. `window_bits`: the sender's window, 8 to 15.
    // One that reaches back beyond it all the same (against section 7.1.2.1) is corrupt, unless what it means
    // lies in the same `out`: there zlib finds it.
    void begin(std::uint8_t window_bits);
    // Advances `in` past what was used and `out` past what was written.
    InflateStatus take(std::span<const std::byte>& in, std::span<std::byte>& out);
    // After the last piece of a message, as often as it says kMore: the rest of its bytes.
    InflateStatus end(std::span<std::byte>& out);

    Utf8Validator utf8;  // of a text's bytes so far

  private:
    friend class StreamPool<Inflater>;

    z_stream stream_;
    Arena<48 * 1024> arena_;  // zlib 1.2.13 asks for 7 KiB, and for a window of up to 32 KiB
    std::uint16_t next_free;
    std::uint8_t tail_used_;  // of the four octets that every message ends with (section 7.2.2)
    std::uint8_t made_for_;   // the window that zlib has memory for; 0: none
    bool in_message_;         // some of the message's compressed octets came
};

using InflaterPool = StreamPool<Inflater>;

}  // namespace millrace::ws
