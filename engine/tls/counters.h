#pragma once
// Counters of one shard's TLS: written by it, read by anyone.

#include <array>
#include <string_view>

#include "netstack/base/counter.h"

namespace millrace::tls {

struct Counters {
    Counter handshakes;            // completed, either role
    Counter resumed;               // of those, with a session from before
    Counter handshakes_failed;     // either end did not like the other, or the peer went away
    Counter handshakes_timed_out;  // server
    Counter handshakes_refused;    // handshake_memory, or memory for what had to be said, was used up
    Counter handshakes_put_off;    // polls that left some for the next
    Counter http_on_tls;           // plain HTTP on a secure port, answered with 400
    Counter not_tls;               // anything else there
    Counter failed;                // established connections that ended for a bad record or alert
    Counter truncated;             // TCP ended without close_notify
    Counter close_notify_unsent;   // there was no room for it
    Counter plaintext_put_off;     // connections held back because the plaintext buffers were used up
    Counter plaintext_refused;     // and those ended because handshake_memory was, too
    Counter proxy_refused;         // no header of the PROXY protocol where one is due
    Counter records_sent;
    Counter contexts_replaced;  // certificates that were read again
};

struct CounterName {
    std::string_view name;
    Counter Counters::*counter;
};

inline constexpr std::array kCounterNames{
    CounterName{"TlsHandshakes", &Counters::handshakes},
    CounterName{"TlsResumed", &Counters::resumed},
    CounterName{"TlsHandshakesFailed", &Counters::handshakes_failed},
    CounterName{"TlsHandshakesTimedOut", &Counters::handshakes_timed_out},
    CounterName{"TlsHandshakesRefused", &Counters::handshakes_refused},
    CounterName{"TlsHandshakesPutOff", &Counters::handshakes_put_off},
    CounterName{"TlsHttpOnTls", &Counters::http_on_tls},
    CounterName{"TlsNotTls", &Counters::not_tls},
    CounterName{"TlsFailed", &Counters::failed},
    CounterName{"TlsTruncated", &Counters::truncated},
    CounterName{"TlsCloseNotifyUnsent", &Counters::close_notify_unsent},
    CounterName{"TlsPlaintextPutOff", &Counters::plaintext_put_off},
    CounterName{"TlsPlaintextRefused", &Counters::plaintext_refused},
    CounterName{"TlsProxyRefused", &Counters::proxy_refused},
    CounterName{"TlsRecordsSent", &Counters::records_sent},
    CounterName{"TlsContextsReplaced", &Counters::contexts_replaced},
};

}  // namespace millrace::tls
