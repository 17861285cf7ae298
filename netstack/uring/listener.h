#pragma once
// A listening socket and its multishot accept: armed once, it yields connections until it fails.

#include "netstack/base/address.h"
#include "netstack/base/time.h"

namespace millrace::net::uring {

struct Listener {
    // How long accepting rests when descriptors or memory have run out: the error would come back at once.
    static constexpr Duration kBackOff = 100ms;

    int fd = -1;  // -1: this place is free
    SocketAddress bound;
    bool accepting = false;  // the multishot accept is armed
    bool stopping = false;
    Time retry_at{};  // accepting begins again then

    bool should_accept(Time now) const { return fd >= 0 && !accepting && !stopping && retry_at <= now; }
};

}  // namespace millrace::net::uring
