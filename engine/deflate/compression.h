#pragma once
// A shard's permessage-deflate: whose stream a message goes through. Streams that keep their window between
// messages (takeover) are their connections'; without it an inflater is held while a message is under way,
// and all connections of the shard deflate through the same few streams.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/deflate/deflater.h"
#include "engine/deflate/inflater.h"
#include "engine/deflate/parameters.h"
#include "engine/frame/opcode.h"

namespace millrace::ws {

// A connection's part; zeros where nothing was agreed.
struct DeflateState {
    InflaterPool::Index inflater =
        InflaterPool::kNone;  // of the message under way or, with takeover, for good
    DeflaterPool::Index deflater = DeflaterPool::kNone;  // with takeover
    std::uint8_t in_bits : 4 = 0;                        // of the peer's window
    std::uint8_t out_bits : 4 = 0;                       // of ours
    bool in_takeover : 1 = false;                        // the peer's messages refer to its earlier ones
    bool out_takeover : 1 = false;                       // ours do
    bool agreed() const { return out_bits != 0; }
};

class Compression {
  public:
    // `memory`: bytes for the streams, half of them for each direction. `max_message`: of one that is sent.
    static Expected<Compression> create(std::size_t memory, std::size_t max_message);

    // Takes what `parameters` call for. Where memory is short a takeover is given up, in `parameters` too: a
    // server may still say so in its answer, a client need not use what it is allowed. False when a client's
    // server insists on a takeover that there is no memory for.
    bool agree(DeflateState& state, Role role, DeflateParameters& parameters);
    // The connection is over.
    void release(DeflateState& state);

    // The stream of a received message, from its first piece to message_ended(). Null when the pool is dry.
    Inflater* inflater(DeflateState& state);
    void message_ended(DeflateState& state);

    // A message compressed, valid until the next call; empty when it is to be sent as it is, because it is
    // small or does not shrink.
    std::span<std::byte> compress(DeflateState& state, std::span<const std::span<std::byte>> parts,
                                  std::size_t size);
    // What compress() gave was not sent after all.
    void not_sent(DeflateState& state);

    std::uint64_t refused() const { return inflaters_.refused() + deflaters_.refused(); }
    // Not for the hot path.
    std::size_t memory_in_use() const;

  private:
    Compression(InflaterPool inflaters, DeflaterPool deflaters, ReservedArray<std::byte> out);

    Deflater* shared_deflater(DeflateShape shape);

    InflaterPool inflaters_;
    DeflaterPool deflaters_;
    std::uint32_t most_kept_;  // inflaters for takeover; the rest are for messages under way
    // By window bits, for small messages and for others; made when first used, and never given back.
    std::array<std::array<DeflaterPool::Index, 16>, 2> shared_{};
    ReservedArray<std::byte> out_;
};

}  // namespace millrace::ws
