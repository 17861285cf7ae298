#pragma once
// Counters of one endpoint: written by its shard, read by anyone.

#include <cstdint>
#include <string_view>

#include "netstack/base/counter.h"

namespace millrace {

struct EndpointCounters {
    Counter opened;            // handshakes completed, either role
    Counter ended;             // of those, the ones that are over
    Counter handshake_failed;  // requests or responses refused, timed out or cut off before the opening
    Counter tls_hellos;        // TLS spoken to a plain port, answered with an alert
    // Of the requests refused: by status.
    Counter refused_unauthorised;  // 401
    Counter refused_forbidden;     // 403: Origin, or the application
    Counter refused_late;          // 408
    Counter refused_too_large;     // 413, 414, 431
    Counter refused_otherwise;     // malformed, unknown paths, no PROXY header
    Counter http_requests;         // ordinary requests answered
    Counter messages_received;
    Counter bytes_received;  // payload of complete messages
    Counter messages_sent;
    Counter bytes_sent;
    Counter sends_refused;  // send() said kFull
    Counter slow_readers;   // connections ended for what they left unread
    Counter slow_messages;  // connections failed for a message that did not go on
    Counter pings_sent;     // to peers that were silent; the application's own are not counted
    Counter pings_received;
    Counter pongs_received;
    Counter closes_received;    // Close frames
    Counter protocol_failures;  // connections that we failed (RFC 6455 section 7.1.7)
    Counter lost;               // open connections that ended without a Close frame (1006)
    Counter timeouts;           // handshake, idle, ping and close timeouts
    Counter holds;              // times a connection's input was held back because its output was full
    Counter memory_refusals;    // messages or heads refused because message_memory was used up

    template <class Visitor>
    void visit(Visitor&& visitor) const {
        visitor(std::string_view("ws_open"), opened.value() - ended.value());
        visitor(std::string_view("ws_opened"), opened.value());
        visitor(std::string_view("ws_handshake_failed"), handshake_failed.value());
        visitor(std::string_view("tls_hellos_on_plain"), tls_hellos.value());
        visitor(std::string_view("refused_unauthorised"), refused_unauthorised.value());
        visitor(std::string_view("refused_forbidden"), refused_forbidden.value());
        visitor(std::string_view("refused_late"), refused_late.value());
        visitor(std::string_view("refused_too_large"), refused_too_large.value());
        visitor(std::string_view("refused_otherwise"), refused_otherwise.value());
        visitor(std::string_view("http_requests"), http_requests.value());
        visitor(std::string_view("ws_messages_received"), messages_received.value());
        visitor(std::string_view("ws_bytes_received"), bytes_received.value());
        visitor(std::string_view("ws_messages_sent"), messages_sent.value());
        visitor(std::string_view("ws_bytes_sent"), bytes_sent.value());
        visitor(std::string_view("ws_sends_refused"), sends_refused.value());
        visitor(std::string_view("ws_slow_readers"), slow_readers.value());
        visitor(std::string_view("ws_slow_messages"), slow_messages.value());
        visitor(std::string_view("ws_pings_sent"), pings_sent.value());
        visitor(std::string_view("ws_pings_received"), pings_received.value());
        visitor(std::string_view("ws_pongs_received"), pongs_received.value());
        visitor(std::string_view("ws_closes_received"), closes_received.value());
        visitor(std::string_view("ws_protocol_failures"), protocol_failures.value());
        visitor(std::string_view("ws_lost"), lost.value());
        visitor(std::string_view("ws_timeouts"), timeouts.value());
        visitor(std::string_view("ws_holds"), holds.value());
        visitor(std::string_view("ws_memory_refusals"), memory_refusals.value());
    }
};

}  // namespace millrace
