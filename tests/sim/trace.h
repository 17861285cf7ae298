#pragma once
// What is told of a simulation while it runs: a hash of everything, so that two runs can be compared; a
// capture file and a text for the reader, on demand.

#include <cstdint>
#include <span>
#include <string_view>

#include "netstack/carrier.h"
#include "tests/sim/cable.h"
#include "tests/sim/pcap.h"

namespace millrace::sim {

class Trace {
  public:
    Trace() = default;
    Trace(Pcap* pcap, bool verbose) : pcap_(pcap), verbose_(verbose) {}

    // `from` is 2 for the router.
    void frame(Duration at, unsigned from, std::span<const std::byte> frame, Fate fate);
    void event(Duration at, unsigned host, net::ConnId id, net::EventKind kind, net::CloseReason reason,
               std::size_t bytes);
    void note(Duration at, std::string_view what);

    std::uint64_t hash() const { return hash_; }
    std::uint64_t frames() const { return frames_; }

  private:
    void mix(std::uint64_t value) {
        hash_ = (hash_ ^ value) * 0x9e3779b97f4a7c15;
        hash_ ^= hash_ >> 29;
    }

    Pcap* pcap_ = nullptr;
    bool verbose_ = false;
    std::uint64_t hash_ = 0;
    std::uint64_t frames_ = 0;
};

}  // namespace millrace::sim
