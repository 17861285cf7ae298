#pragma once
// One direction of the wire between two hosts: frames go in, and come out later, or never, or twice, or in
// another order, or damaged in a way that checksums must notice.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <queue>
#include <span>
#include <vector>

#include "tests/sim/random.h"
#include "tests/sim/scenario.h"

namespace millrace::sim {

enum class Fate : std::uint8_t { kPassed, kDown, kLost, kQueueFull, kTooLong };

class Cable {
  public:
    Cable(const Scenario& scenario, unsigned from)
        : scenario_(scenario),
          plan_(scenario.wires[from]),
          from_(from),
          random_(scenario.seed, "cable", from) {}

    // A copy of `frame` is under way, if it is to arrive at all.
    Fate put(std::span<const std::byte> frame, Duration now);
    // When the next frame arrives; nothing while the wire is empty.
    std::optional<Duration> next() const {
        if (flying_.empty()) return std::nullopt;
        return flying_.top().at;
    }
    struct Arrival {
        std::span<const std::byte> frame;  // until the next call
        bool damaged;
    };
    // The frame that arrives next.
    Arrival take();

    // What packets longer than this meet (RFC 1191), and whether they are told.
    const MtuChange* mtu_at(Duration now) const;

  private:
    struct Flying {
        Duration at;
        std::uint64_t order;
        std::uint32_t buffer;
        bool damaged;
        bool operator<(const Flying& other) const {
            return at != other.at ? at > other.at : order > other.order;
        }
    };

    bool is_down(Duration now) const;
    bool is_lost();
    void fly(std::span<const std::byte> frame, Duration at, bool damaged);
    void damage(std::vector<std::byte>& frame);

    const Scenario& scenario_;
    const WirePlan& plan_;
    unsigned from_;
    Random random_;
    bool in_burst_ = false;
    Duration busy_until_{};  // the bottleneck, with what is queued before it
    Duration last_arrival_{};
    std::uint64_t order_ = 0;
    std::priority_queue<Flying> flying_;
    std::vector<std::vector<std::byte>> buffers_;
    std::vector<std::uint32_t> free_;
};

}  // namespace millrace::sim
