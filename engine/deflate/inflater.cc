#include "engine/deflate/inflater.h"

#include <algorithm>
#include <array>

namespace millrace::ws {
namespace {

// What the sender has removed from the end of each message (section 7.2.1).
constexpr std::array<std::byte, 4> kTail{std::byte{0}, std::byte{0}, std::byte{0xff}, std::byte{0xff}};

// zlib's counts have 32 bits.
unsigned at_once(std::size_t bytes) {
    return static_cast<unsigned>(std::min<std::size_t>(bytes, 1u << 30));
}

}  // namespace

void Inflater::begin(std::uint8_t window_bits) {
    if (made_for_ == window_bits) {
        inflateReset(&stream_);
    } else {
        arena_.serve(stream_);
        inflateInit2(&stream_, -window_bits);
        made_for_ = window_bits;
    }
    utf8.reset();
    tail_used_ = 0;
    in_message_ = false;
}

InflateStatus Inflater::take(std::span<const std::byte>& in, std::span<std::byte>& out) {
    in_message_ = in_message_ || !in.empty();
    // Called once more when the input is used up and there was no room left: a match may be half copied.
    for (;;) {
        if (out.empty()) return InflateStatus::kMore;
        const unsigned given = at_once(in.size()), room = at_once(out.size());
        stream_.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(in.data()));
        stream_.avail_in = given;
        stream_.next_out = reinterpret_cast<Bytef*>(out.data());
        stream_.avail_out = room;
        const int result = inflate(&stream_, Z_SYNC_FLUSH);
        const bool moved = stream_.avail_in < given || stream_.avail_out < room;
        in = in.subspan(given - stream_.avail_in);
        out = out.subspan(room - stream_.avail_out);
        // Section 7.2.3.4: a block may say that it is the last one; more follow, with the window kept.
        if (result == Z_STREAM_END)
            inflateResetKeep(&stream_);
        else if ((result != Z_OK && result != Z_BUF_ERROR) || (!moved && !in.empty()))
            return InflateStatus::kCorrupt;
        if (in.empty() && !out.empty()) return InflateStatus::kTaken;
    }
}

InflateStatus Inflater::end(std::span<std::byte>& out) {
    // An empty message should be one octet (section 7.2.3.6); senders that flush zlib twice send none at all.
    if (!in_message_) return InflateStatus::kTaken;
    std::span<const std::byte> tail = std::span(kTail).subspan(tail_used_);
    const InflateStatus status = take(tail, out);
    tail_used_ = static_cast<std::uint8_t>(kTail.size() - tail.size());
    if (status != InflateStatus::kTaken) return status;
    tail_used_ = 0;
    in_message_ = false;
    // The message is whole when the tail has ended a block, and an octet: zlib tells how many bits are left
    // of the last octet, and 128 between two blocks.
    return stream_.data_type == 128 ? InflateStatus::kTaken : InflateStatus::kCorrupt;
}

}  // namespace millrace::ws
