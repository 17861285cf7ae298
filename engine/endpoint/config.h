#pragma once
// What an endpoint is told when it is made. Every bound of the engine is here.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

#include "engine/handshake/access.h"
#include "engine/handshake/handshake.h"
#include "engine/http/message.h"
#include "engine/proxy/forwarded.h"
#include "netstack/base/time.h"

namespace millrace {

struct EndpointConfig {
    unsigned shard = 0;  // which of a server's it is
    std::uint64_t max_message =
        16u << 20;  // bytes of one message, below 4 GiB; more fails the connection with 1009
    std::size_t message_memory =
        1u << 30;  // bytes of a shard: messages under assembly, cut request heads, input held back
    std::size_t send_limit = 1u << 20;   // bytes unsent per connection, beyond which it waits, or is closed
    std::size_t max_carries = 1u << 16;  // frames cut between two buffers, at one time
    // Bytes of zlib's memory of a shard, half for each direction: what takeover keeps, and messages under
    // way. With it used up new connections get no takeover.
    std::size_t deflate_memory = 256u << 20;
    Duration handshake_timeout = 10s;  // from the TCP connection, over TLS, to the opened WebSocket
    Duration idle_timeout{};           // no message in either direction: close with 1001; zero: never
    Duration ping_interval{};          // nothing heard: ping, then fail the connection; zero: never
    // A frame or a message that has begun must bring, and a peer that others wait for must read, 1 KiB in
    // each such time; zero: never asked for.
    Duration progress_timeout = 30s;
    Duration close_timeout = 5s;  // for the peer's Close frame, then for its FIN
    // Messages call for no answers, as a client's that says what comes to its own mind: they are read however
    // much is unsent, so that it and a peer that reads nothing while it writes do not wait for each other.
    bool read_while_full = false;
    // Who has send_limit unread when more is to be sent to it: closed with 1013, or waited for.
    bool close_slow_readers = false;
    // What whoever runs this should know, a sentence said once. Called in the shard's loop; empty: unsaid.
    std::function<void(std::string_view)> notice;
    http::Limits http;
    ws::UpgradePolicy upgrade;
    AccessTokens tokens;  // of which one is asked for at every route, before its handler is, and at guarded
                          // pages; none: not
    // Connections begin with a header of the PROXY protocol, and those that do not are ended.
    bool proxy_protocol = false;
    proxy::ForwardedPolicy forwarded;
};

}  // namespace millrace
