#pragma once
// What the main thread and a load's shards tell each other.

#include <cstdint>
#include <future>

#include "bench/control/mailbox.h"
#include "bench/load/books.h"
#include "bench/load/options.h"
#include "engine/endpoint/client_target.h"
#include "netstack/base/address.h"

namespace millrace::bench {

enum class LoadOrder : std::uint8_t {
    kServe,  // poll, and nothing else
    kOpen,   // the connections
    kTalk,   // the run
    kStop,   // what is on, before its time
    kClose,  // all connections
};

// The same for all shards of a process. `options` says what all processes do together, but for its cores,
// source addresses and max_connections.
struct LoadPlan {
    const LoadOptions& options;
    net::SocketAddress address;  // of the server, or the proxy
    ClientTarget target;         // without TLS, which each shard has of its own
    unsigned shards;             // of all processes
    unsigned first_shard;        // of this process, among them
    // Of the run that is on; they change between orders.
    double rate;   // open loop: messages a second
    Time start{};  // when it begins
};

struct LoadDesk {
    std::promise<Expected<void>> ready;  // fulfilled once
    Mailbox<LoadOrder> mailbox;
    LoadProgress progress;
    LoadBooks books;  // the main thread reads them between orders
};

}  // namespace millrace::bench
