#pragma once
// One shard's loop, and the limits that an endpoint asks of its carrier.

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "engine/endpoint/endpoint.h"

namespace millrace {

// A carrier's own bound on unsent bytes. Below EndpointConfig::send_limit there is always room for one
// message more, however long; beyond that, for the frames that the rest of its receive buffer can call for.
inline std::uint32_t carrier_send_limit(const EndpointConfig& config) {
    constexpr std::uint64_t kControlRoom = 256u << 10;
    return static_cast<std::uint32_t>(
        std::min<std::uint64_t>(config.send_limit + config.max_message + kControlRoom, UINT32_MAX));
}

// What another thread may ask of a shard; polled once a loop, relaxed loads only.
struct ShardControl {
    std::atomic<bool> drain{false};  // close all with 1001 and end when that is done
    std::atomic<bool> stop{false};   // end now
};

// Runs until stopped or drained. `clock.now()` gives the Time of a poll, which `each_turn` is called with
// once.
template <class Clock, class C, class EndpointType, class EachTurn>
void run_shard(const Clock& clock, C& carrier, EndpointType& endpoint, const ShardControl& control,
               EachTurn each_turn) {
    bool draining = false;
    while (!control.stop.load(std::memory_order_relaxed)) {
        const Time now = clock.now();
        endpoint.handle(carrier.poll(now), now);
        each_turn(now);
        if (!draining && control.drain.load(std::memory_order_relaxed)) {
            draining = true;
            endpoint.drain(ws::CloseCode::kGoingAway, now);
        }
        endpoint.tick(now);
        carrier.flush(now);
        if (endpoint.drained()) break;
    }
}

template <class Clock, class C, class EndpointType>
void run_shard(const Clock& clock, C& carrier, EndpointType& endpoint, const ShardControl& control) {
    run_shard(clock, carrier, endpoint, control, [](Time) {});
}

}  // namespace millrace
