#pragma once
// Frames as a client sends them to a server, each a message: several thousand, so that no branch predictor
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
    Traffic(ws::Opcode opcode, Sizes sizes);

    struct Segment {
        std::span<const std::byte> wire;
        std::size_t frames;
    };
    const std::vector<Segment>& segments() const { return segments_; }
    std::size_t frames() const { return frames_; }
    // What all segments together must yield.
    const Payloads& payloads() const { return payloads_; }

  private:
    std::vector<std::byte> wire_;
    std::vector<Segment> segments_;
    std::size_t frames_ = 0;
    Payloads payloads_;
};

// Times `decode(segment, tally)`, which decodes all of a segment in place and tells the tally of each
// message. Every round is verified to have yielded all messages, and a first one that every byte was right.
template <class Decode>
void time_decoding(benchmark::State& state, const Traffic& traffic, Decode&& decode) {
    alignas(64) static std::byte place[32 << 10];
    const auto round = [&](Tally& tally) {
        std::uint64_t ticks = 0;
        for (const Traffic::Segment& segment : traffic.segments()) {
            std::memcpy(place, segment.wire.data(), segment.wire.size());
            const std::uint64_t begun = rte_rdtsc();
            decode(std::span(place, segment.wire.size()), segment.frames, tally);
            ticks += rte_rdtsc() - begun;
        }
        return ticks;
    };
    Tally verified(&traffic.payloads());
    round(verified);
    bool right = verified.equals(traffic.payloads());
    Samples samples;
    for (auto _ : state) {
        Tally counted;
        samples.add(round(counted));
        right &= counted.equals(traffic.payloads());
    }
    if (!right) return state.SkipWithError("a message is missing or wrong");
    state.counters["ns"] = samples.median_ns() / static_cast<double>(traffic.frames());
}

}  // namespace millrace::bench
