#pragma once
// Counters of one endpoint: written by its shard, read by anyone. A plain load, add and store: no other
// thread writes, so no read-modify-write is needed (house rule "shared nothing").

#include <atomic>
#include <cstdint>
#include <string_view>

namespace millrace {

class Counter {
  public:
    void add(std::uint64_t n = 1) { value_.store(get() + n, std::memory_order_relaxed); }
    void subtract(std::uint64_t n = 1) { value_.store(get() - n, std::memory_order_relaxed); }
    std::uint64_t get() const { return value_.load(std::memory_order_relaxed); }

  private:
    std::atomic<std::uint64_t> value_{0};
};

struct EndpointCounters {
    Counter open;              // WebSockets open now
    Counter opened;            // handshakes completed, either role
    Counter handshake_failed;  // requests or responses refused, timed out or cut off before the opening
    Counter http_requests;     // ordinary requests answered
    Counter messages_received;
    Counter bytes_received;  // payload of complete messages
    Counter messages_sent;
    Counter bytes_sent;
    Counter sends_refused;  // send() said kFull
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
        visitor(std::string_view("ws_open"), open.get());
        visitor(std::string_view("ws_opened"), opened.get());
        visitor(std::string_view("ws_handshake_failed"), handshake_failed.get());
        visitor(std::string_view("http_requests"), http_requests.get());
        visitor(std::string_view("ws_messages_received"), messages_received.get());
        visitor(std::string_view("ws_bytes_received"), bytes_received.get());
        visitor(std::string_view("ws_messages_sent"), messages_sent.get());
        visitor(std::string_view("ws_bytes_sent"), bytes_sent.get());
        visitor(std::string_view("ws_sends_refused"), sends_refused.get());
        visitor(std::string_view("ws_pings_received"), pings_received.get());
        visitor(std::string_view("ws_pongs_received"), pongs_received.get());
        visitor(std::string_view("ws_closes_received"), closes_received.get());
        visitor(std::string_view("ws_protocol_failures"), protocol_failures.get());
        visitor(std::string_view("ws_lost"), lost.get());
        visitor(std::string_view("ws_timeouts"), timeouts.get());
        visitor(std::string_view("ws_holds"), holds.get());
        visitor(std::string_view("ws_memory_refusals"), memory_refusals.get());
    }
};

}  // namespace millrace
