// permessage-deflate's streams. What any octets inflate to is the same in any pieces and rooms, and corrupt
// data are corrupt in all, but for those that reach back beyond the window agreed on: zlib finds what lies in
// the same room all the same. What is compressed inflates to what it was, message after message.
//
// Input: octet 0: the window (3 bits), takeover, which of the two; octet 1: the seed of pieces and rooms;
// then octets to inflate, or messages that an octet each tells the length of.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <random>
#include <vector>

#include "engine/deflate/deflater.h"
#include "engine/deflate/inflater.h"

namespace {

using namespace millrace::ws;
using Bytes = std::vector<std::byte>;

void require(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "deflate_fuzz: %s\n", what);
    std::abort();
}

// Beyond it a bomb is as good as corrupt.
constexpr std::size_t kMost = 1 << 20;

// `step` is called with rooms of at most `room` bytes for as long as it wants more. False when it is corrupt.
template <class Step>
bool collect(Bytes& out, std::size_t room, Step step) {
    static Bytes memory(kMost + 2);
    // The room ends where memory does, so that the address sanitizer sees a write beyond.
    const std::span<std::byte> place = std::span(memory).last(room);
    while (out.size() <= kMost) {
        std::span<std::byte> rest = place;
        const InflateStatus status = step(rest);
        out.insert(out.end(), place.begin(), place.end() - static_cast<std::ptrdiff_t>(rest.size()));
        if (status != InflateStatus::kMore) return status == InflateStatus::kTaken;
    }
    return false;
}

template <class Size>
std::optional<Bytes> inflate(Inflater& inflater, std::span<const std::byte> message, Size piece,
                             std::size_t room) {
    Bytes out;
    while (!message.empty()) {
        const std::size_t size = std::min<std::size_t>(piece(), message.size());
        std::span<const std::byte> in = message.first(size);
        message = message.subspan(size);
        if (!collect(out, room, [&](auto& rest) { return inflater.take(in, rest); })) return {};
    }
    if (!collect(out, room, [&](auto& rest) { return inflater.end(rest); })) return {};
    return out;
}

struct Streams {
    InflaterPool inflaters = *InflaterPool::create(3);
    DeflaterPool deflaters = *DeflaterPool::create(1);
    Inflater& whole = inflaters[inflaters.take()];
    Inflater& cut = inflaters[inflaters.take()];
    Inflater& widest = inflaters[inflaters.take()];
    Deflater& deflater = deflaters[deflaters.take()];
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    static Streams streams;
    const auto bits = static_cast<std::uint8_t>(8 + (data[0] & 7));
    const bool takeover = data[0] & 8;
    std::minstd_rand random(data[1] + 1u);
    const auto all = [] { return SIZE_MAX; };
    const auto some = [&] { return 1 + random() % 40; };
    std::span<const std::byte> rest = std::as_bytes(std::span(data, size)).subspan(2);

    streams.whole.begin(bits);
    streams.cut.begin(bits);
    if (data[0] & 16) {
        const auto expected = inflate(streams.whole, rest, all, kMost + 2);
        const auto got = inflate(streams.cut, rest, some, 1 + random() % 300);
        streams.widest.begin(15);
        const bool beyond_window = expected && !got && inflate(streams.widest, rest, some, 300) == expected;
        require(expected == got || (beyond_window && bits < 15), "pieces and rooms make a difference");
        return 0;
    }
    streams.deflater.begin({bits, 8});
    while (!rest.empty()) {
        const std::size_t length = std::min(std::to_integer<std::size_t>(rest[0]), rest.size() - 1);
        Bytes message(rest.begin() + 1, rest.begin() + 1 + static_cast<std::ptrdiff_t>(length));
        rest = rest.subspan(1 + length);
        for (int doublings = 0; doublings < 3; ++doublings)
            message.insert(message.end(), message.begin(),
                           message.begin() + static_cast<std::ptrdiff_t>(message.size()));
        if (!takeover) streams.deflater.begin({bits, 8}), streams.cut.begin(bits);
        Bytes compressed(message.size());
        const std::span<std::byte> part(message);
        compressed.resize(streams.deflater.compress(std::span(&part, 1), message.size(), compressed));
        if (compressed.empty()) {
            streams.deflater.begin({bits, 8});
            continue;
        }
        require(compressed.size() < message.size(), "a message that has grown is sent compressed");
        require(inflate(streams.cut, compressed, some, 1 + random() % 300) == message,
                "another message arrives");
    }
    return 0;
}
