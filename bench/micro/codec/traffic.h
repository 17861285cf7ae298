#pragma once
// Frames as one end sends them to the other, each a message: several thousand, so that no branch predictor
// learns their sizes, in segments that fit into the first-level cache beside their originals.

#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstring>
#include <span>
#include <vector>

#include "bench/micro/codec/peers/peer.h"
#include "bench/micro/codec/samples.h"
#include "engine/frame/opcode.h"

namespace millrace::bench {

struct Sizes {
    std::size_t least;
    std::size_t most;
};

class Traffic {
  public:
    // A server receives them masked.
    Traffic(ws::Opcode opcode, Sizes sizes, ws::Role receiver = ws::Role::kServer);

    struct Segment {
        std::span<const std::byte> wire;
        std::size_t frames;
    };
    const std::vector<Segment>& segments() const { return segments_; }
    std::size_t frames() const { return frames_; }
    std::size_t header() const { return header_; }  // bytes, of each frame
    bool small() const { return sizes_.most < 126; }
    // What all segments together must yield.
    const Payloads& payloads() const { return payloads_; }

  private:
    std::vector<std::byte> wire_;
    std::vector<Segment> segments_;
    std::size_t frames_ = 0;
    Sizes sizes_;
    std::size_t header_;
    Payloads payloads_;
};

// Times `decode(segment, tally)`, which decodes all of a segment in place and tells the tally of each
// message. Every round is verified to have yielded all messages, and a first one that every byte was right.
// Beside it, the least that finding one small frame behind the other can cost: each length is loaded from
// where the one before it says; nothing is checked or unmasked.
template <class Decode>
void time_decoding(benchmark::State& state, const Traffic& traffic, Decode&& decode) {
    alignas(64) static std::byte place[32 << 10];
    const auto walk = [&traffic](std::size_t size) {
        std::size_t at = 0;
        while (at < size)
            at += traffic.header() + (std::to_integer<std::size_t>(place[at + 1]) & 0x7f);
        return at;
    };
    bool right = true;
    Samples decodes, walks;
    const auto round = [&](Tally& tally) {
        std::uint64_t decoding = 0, walking = 0;
        for (const Traffic::Segment& segment : traffic.segments()) {
            const std::size_t size = segment.wire.size();
            std::memcpy(place, segment.wire.data(), size);
            const std::uint64_t begun = rte_rdtsc();
            if (traffic.small()) right &= walk(size) == size;
            const std::uint64_t walked = rte_rdtsc();
            decode(std::span(place, size), segment.frames, tally);
            decoding += rte_rdtsc() - walked;
            walking += walked - begun;
        }
        decodes.add(decoding);
        walks.add(walking);
        right &= tally.equals(traffic.payloads());
    };
    Tally verified(&traffic.payloads());
    round(verified);
    for (auto _ : state) {
        Tally counted;
        round(counted);
    }
    if (!right) return state.SkipWithError("a message is missing or wrong");
    state.counters["ns"] = decodes.median_ns() / static_cast<double>(traffic.frames());
    if (!traffic.small()) return;
    state.counters["walk ns"] = walks.median_ns() / static_cast<double>(traffic.frames());
    state.counters["ratio"] = walks.ratio_of(decodes);
}

}  // namespace millrace::bench
