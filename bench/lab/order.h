#pragma once
// What the lab's main thread asks of its shards.

#include <cstdint>

namespace millrace::bench {

enum class Order : std::uint8_t {
    kServe,     // poll, and nothing else
    kReport,    // put down memory and counters
    kPopulate,  // take the memory of the connections to come
    kConnect,   // the stages
    kHold,
    kEcho,
    kScatter,
    kChurn,
    kClose,
    kLatency,
    kFanoutOpen,   // fan-out: the subscribers come
    kFanout,       // a turn of it
    kFanoutStall,  // some of them stop reading
    kFloor,        // ping-pong over the bare ring; the carrier is not polled meanwhile
};

}  // namespace millrace::bench
