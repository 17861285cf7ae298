#pragma once
// What goes wrong on a bad wire, reproducibly: frames are lost, damaged, duplicated, overtaken and delayed as
// a seed says. For tests and simulations; a cable without faults has no such stage.

#include <rte_mbuf.h>

#include <array>
#include <cstdint>

#include "netstack/base/counter.h"
#include "netstack/port/wire.h"

namespace millrace::net {

// Probabilities of each fault, of one frame.
struct CableFaults {
    std::uint64_t seed = 1;
    double lose = 0;
    double corrupt = 0;  // one bit is flipped behind the Ethernet header
    double duplicate = 0;
    double reorder = 0;  // one to four later frames overtake it
    double delay = 0;    // by up to `delay_turns` turns
    unsigned delay_turns =
        16;  // a turn is a frame or a transmit burst, also an empty one: one poll of the sender at least

    bool any() const { return lose > 0 || corrupt > 0 || duplicate > 0 || reorder > 0 || delay > 0; }
};

struct FaultCounters {
    Counter lost, corrupted, duplicated, reordered, delayed;
};

// The faults of one wire.
class FaultStage {
  public:
    FaultStage(const CableFaults& faults, std::uint64_t wire)
        : faults_(faults), state_(faults.seed * 2 + 1 + wire * 0x9e3779b97f4a7c16u) {}

    // As Wire::put().
    bool put(Wire& wire, const rte_mbuf* frame, std::uint64_t receive_flags);
    // Stages the held frames that are due; called once a transmit burst.
    void turn(Wire& wire);

    const FaultCounters& counters() const { return counters_; }

  private:
    static constexpr unsigned kMostHeld = 64;

    struct Held {
        rte_mbuf* copied;
        std::uint64_t due;
    };

    std::uint32_t below(std::uint32_t bound);
    bool happens(double probability, Counter& counter);
    void hold(rte_mbuf* copied, unsigned turns) { held_[held_count_++] = {copied, turn_ + turns}; }
    void corrupt(rte_mbuf* copied);

    CableFaults faults_;
    std::uint64_t state_;
    std::uint64_t turn_ = 0;
    unsigned held_count_ = 0;
    std::array<Held, kMostHeld> held_{};
    FaultCounters counters_;
};

}  // namespace millrace::net
