#pragma once
// What the TLS carrier keeps for a connection, at its index. OpenSSL's state lies elsewhere.

#include <openssl/ssl.h>

#include <cstdint>

#include "engine/endpoint/chains.h"
#include "engine/tls/records.h"
#include "netstack/base/slot_list.h"

namespace millrace::tls {

class ClientContext;

enum class State : std::uint8_t {
    kPlain,       // passed through. Zeroed memory is an array of these
    kConnecting,  // client: TCP is being established
    kHello,       // server: its first record is awaited; both: then their turn to begin
    kHandshake,   // begun
    kOpen,        // established
    kLingering,   // over for the engine, or never there: an alert is on its way out
    kGone,        // over: what this batch still says of it is dropped
};

struct Connection {
    SSL* ssl;                // from kHandshake to the end of kOpen
    ClientContext* client;   // of connections that we secure as a client
    ChainId input;           // what has come and waits: before kOpen, or held back for want of buffers
    std::uint32_t since_ms;  // server: when TCP was established, in ms of the shard's time
    State state;
    RecordPlace records;   // kOpen: where in its records the peer's stream is
    bool peer_closed : 1;  // close_notify or FIN has come, and the engine knows
    bool closing : 1;      // close() was called
    bool close_owed : 1;   // failed where no event could be told: kClosed follows
    bool proxy_due : 1;    // kHello: a header of the PROXY protocol must come first
    bool paused : 1;       // pause() was called
    bool held_back : 1;    // kOpen: `input` waits for buffers, and the carrier below is paused
    bool fin_held : 1;     // the peer's FIN came behind it
    Link turn;             // in the list of those that wait to begin (kHello) or to go on (kHandshake),
                           // or for buffers (kOpen)
};

static_assert(sizeof(Connection) <= 40);

}  // namespace millrace::tls
