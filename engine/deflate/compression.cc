#include "engine/deflate/compression.h"

#include <algorithm>

namespace millrace::ws {
namespace {

// Shorter messages leave as they are: what compression could save of them is a few bytes of a packet.
constexpr std::size_t kLeastMessage = 48;
// Up to here clearing a smaller hash table is worth the longer chains in it.
constexpr std::size_t kSmallMessage = 2048;
constexpr std::uint8_t kSmallMemory = 4;

// Room for a stream at each window and size, as shared_ can hold.
constexpr std::uint32_t kSharedDeflaters = 16;

std::uint32_t streams_in(std::size_t memory, std::size_t each) {
    return static_cast<std::uint32_t>(std::clamp<std::size_t>(memory / each, 8, 65000));
}

}  // namespace

Expected<Compression> Compression::create(std::size_t memory, std::size_t max_message) {
    auto inflaters = InflaterPool::create(streams_in(memory / 2, sizeof(Inflater)));
    if (!inflaters) return tl::unexpected(inflaters.error());
    auto deflaters = DeflaterPool::create(streams_in(memory / 2, sizeof(Deflater)) + kSharedDeflaters);
    if (!deflaters) return tl::unexpected(deflaters.error());
    auto out = ReservedArray<std::byte>::create(std::max<std::size_t>(max_message, 1));
    if (!out) return tl::unexpected(out.error());
    return Compression(std::move(*inflaters), std::move(*deflaters), std::move(*out));
}

Compression::Compression(InflaterPool inflaters, DeflaterPool deflaters, ReservedArray<std::byte> out)
    : inflaters_(std::move(inflaters)),
      deflaters_(std::move(deflaters)),
      most_kept_(inflaters_.capacity() - inflaters_.capacity() / 8),
      out_(std::move(out)) {}

bool Compression::agree(DeflateState& state, Role role, DeflateParameters& parameters) {
    const bool server = role == Role::kServer;
    bool& in = server ? parameters.client_takeover : parameters.server_takeover;
    bool& out = server ? parameters.server_takeover : parameters.client_takeover;
    state.in_bits = (server ? parameters.client_bits : parameters.server_bits) & 15;
    state.out_bits = (server ? parameters.server_bits : parameters.client_bits) & 15;
    if (in && inflaters_.in_use() < most_kept_) state.inflater = inflaters_.take();
    if (in && state.inflater == InflaterPool::kNone && !server) return false;
    in = state.in_takeover = state.inflater != InflaterPool::kNone;
    if (in) inflaters_[state.inflater].begin(state.in_bits);
    if (out && deflaters_.in_use() + kSharedDeflaters < deflaters_.capacity())
        state.deflater = deflaters_.take();
    out = state.out_takeover = state.deflater != DeflaterPool::kNone;
    if (out) deflaters_[state.deflater].begin({.window_bits = state.out_bits});
    return true;
}

void Compression::release(DeflateState& state) {
    inflaters_.give(state.inflater);
    deflaters_.give(state.deflater);
}

Inflater* Compression::inflater(DeflateState& state) {
    if (state.inflater == InflaterPool::kNone) {
        state.inflater = inflaters_.take();
        if (state.inflater == InflaterPool::kNone) return nullptr;
        inflaters_[state.inflater].begin(state.in_bits);
    }
    return &inflaters_[state.inflater];
}

void Compression::message_ended(DeflateState& state) {
    if (!state.in_takeover) inflaters_.give(state.inflater);
}

std::span<std::byte> Compression::compress(DeflateState& state, std::span<const std::span<std::byte>> parts,
                                           std::size_t size) {
    if (size < kLeastMessage) return {};
    Deflater* deflater = nullptr;
    if (state.out_takeover) {
        deflater = &deflaters_[state.deflater];
    } else {
        const bool small = size <= kSmallMessage;
        deflater = shared_deflater(
            {.window_bits = state.out_bits, .memory = small ? kSmallMemory : std::uint8_t{8}});
    }
    const std::size_t length = deflater->compress(parts, size, {out_.data(), out_.capacity()});
    if (length == 0) not_sent(state);
    return {out_.data(), length};
}

void Compression::not_sent(DeflateState& state) {
    if (state.out_takeover) deflaters_[state.deflater].begin({.window_bits = state.out_bits});
}

// Begun for a message to which nothing before is known. There are places for all that can be asked for.
Deflater* Compression::shared_deflater(DeflateShape shape) {
    DeflaterPool::Index& index = shared_[shape.memory == kSmallMemory][shape.window_bits];
    if (index == DeflaterPool::kNone) index = deflaters_.take();
    deflaters_[index].begin(shape);
    return &deflaters_[index];
}

std::size_t Compression::memory_in_use() const {
    return inflaters_.memory_in_use() + deflaters_.memory_in_use() + out_.resident_bytes();
}

}  // namespace millrace::ws
