#pragma once
// What the engine keeps for a connection, beside what its carrier keeps: one small slot at the connection's
// index. At rest an open WebSocket holds nothing else.

#include <array>
#include <cstddef>
#include <cstdint>

#include "engine/deflate/compression.h"
#include "engine/endpoint/chains.h"
#include "engine/http/body.h"
#include "engine/session/session.h"

namespace millrace {

enum class Phase : std::uint8_t {
    kFree,        // no connection, or one that the engine is done with: its events are ignored
    kConnecting,  // client: TCP is being established
    kOpening,     // a request head (server) or response head (client) is awaited
    kOpen,        // frames both ways
    kClosing,     // our Close frame is sent, the peer's is awaited
    kEnding,      // the closing handshake is over or failed: input is discarded until TCP has ended
};

// A server's connection between requests and within one, until it becomes a WebSocket.
struct HttpState {
    http::BodyReader body;
    bool proxy_due = false;    // a header of the PROXY protocol must come first
    bool in_body = false;      // the head lies in the slot's chain, its content is being read past
    bool answer_owed = false;  // the same, and the content has ended, but the answer waits for room
    bool answered = false;     // an earlier request was answered
};

// Of what an open connection must not be without for long (progress.h).
enum class Watch : std::uint8_t {
    kNothing,
    kMessage,  // the rest of a frame or a message that has begun to come
    kReading,  // room for what is to be sent: it waits
};

struct Slot {
    union {
        std::array<std::byte, 16> key_seed{};  // client, until kOpen: the bytes behind Sec-WebSocket-Key
        HttpState http;                        // server, until kOpen
        ws::Session session;                   // from then on
    };
    ChainId chain;             // a cut head, or the message under assembly
    ChainId held;              // input held back while there is no room for answers
    std::uint32_t heard_ms;    // when bytes last arrived, in ms of the shard's time
    std::uint32_t message_ms;  // when a message last went either way
    // At the last look whether the peer goes on: bytes unsent. With Watch::kMessage: bytes that came since.
    std::uint32_t progress;
    ws::DeflateState deflate;
    Phase phase;
    std::uint8_t handler;  // index among the application's handlers
    std::uint8_t target;   // client: index of its ClientTarget
    std::uint8_t looked;   // when the last look was, in ticks of progress.h, modulo 256
    bool waiting : 1;      // in the list of connections that wait for room
    bool drain_owed : 1;   // a send() said kFull: on_drain follows
    bool ping_sent : 1;    // a keep-alive Ping is unanswered
    bool fin_sent : 1;     // carrier.close() was called
    bool app_told : 1;     // on_close has been called
    bool has_session : 1;  // `session` is the union's member
    bool tunnelling : 1;   // client, kOpening: the proxy's answer is awaited
    bool look_due : 1;     // kOpen: the timer is set no later than the look that `watch` calls for
    Watch watch : 2;
    ws::Role role : 1;
};

static_assert(sizeof(Slot) <= 48, "an idle session adds no more to its connection");

}  // namespace millrace
