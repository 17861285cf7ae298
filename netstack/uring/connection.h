#pragma once
// One connection's slot. It states what the connection wants; the carrier's flush() turns the difference
// between that and what the kernel has been asked for into submissions. The slot is given to another only
// when the kernel has returned every operation that refers to it.

#include <cstdint>

#include "netstack/base/address.h"
#include "netstack/base/slot_list.h"
#include "netstack/carrier.h"
#include "netstack/timer/wheel.h"
#include "netstack/uring/buffer_ring.h"
#include "netstack/uring/send_queue.h"

namespace millrace::net::uring {

enum class State : std::uint8_t {
    kFree,
    kConnecting,
    kOpen,
    kOver,  // the engine knows that it is over; the kernel may still hold operations
};

struct Connection {
    int fd;
    std::uint32_t generation;  // of the slot: completions of an earlier connection do not match

    State state;
    CloseReason failure;       // kClosed to be told once the bytes received before it have been
    std::uint16_t operations;  // submissions that the kernel has not returned

    bool connect_submitted : 1;
    bool receiving : 1;          // a multishot receive is armed
    bool receive_cancelled : 1;  // and has been asked to end
    bool sending : 1;            // a send is in flight: one at a time
    bool all_cancelled : 1;      // kOver: every operation has been asked to end
    bool paused : 1;
    bool closing : 1;        // close() was called: FIN behind the queue
    bool finished : 1;       // our FIN is out
    bool peer_finished : 1;  // the peer's FIN has come
    bool peer_finish_told : 1;
    bool wants_writable : 1;  // prepare() was refused at the bound

    BufferId held_first;  // received, not yet delivered: paused, or the batch was full
    BufferId held_last;

    TimerId timer;
    SendQueue queue;
    SocketAddress peer;

    Link dirty;    // flush() has something to do
    Link ready;    // poll() has something to tell
    Link starved;  // waits for receive buffers
    Link waiting;  // prepare() was refused by a dry pool
};

static_assert(sizeof(Connection) <= 96, "a connection at rest is one slot and nothing else");

}  // namespace millrace::net::uring
