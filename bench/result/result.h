#pragma once
// What a measuring command found, as plain values: the result file (result_file.h) and the table for the
// terminal (table.h) are two views of it. Schema 1; a stage that did not run is absent.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bench/result/environment.h"
#include "bench/result/histogram.h"
#include "bench/timing/latencies.h"
#include "bench/timing/poll_meter.h"

namespace millrace::bench {

// Nanoseconds.
struct Quantiles {
    std::uint64_t min = 0;
    double mean = 0;
    std::uint64_t p50 = 0, p90 = 0, p99 = 0, p99_9 = 0, p99_99 = 0;
    std::uint64_t max = 0;
};

Quantiles quantiles(const Histogram& histogram);

// How long the turns of a shard's loop took (bench/lab/stalls.h).
struct StallResult {
    std::uint64_t turns = 0;
    Quantiles turn_ns;
    std::uint64_t over_1ms = 0;      // turns; and of these the ones that
    std::uint64_t own_over_1ms = 0;  // were as long by the thread's own CPU time, too:
    std::uint64_t own_max_ns = 0;    // the rest is what the machine took
};
// By end: "server", "client".
using StallResults = std::map<std::string, StallResult>;

struct ConnectResult {
    std::uint64_t connections = 0;  // TCP and WebSocket handshakes completed
    std::uint64_t failed = 0;
    std::map<std::string, std::uint64_t> failed_because;
    double populate_seconds = 0;  // before: to take the memory of all connections
    double seconds = 0;
    double rate_per_s = 0;
    std::vector<double> rates_per_s;  // of each million in turn; fewer than a million: none
    // Measured: memory in use with all connections less memory in use before any was taken for them, over
    // their number.
    double server_bytes_per_connection = 0;
    double client_bytes_per_connection = 0;
    // The cross-check: growth of the process' resident memory over the same time, both ends and the bench's
    // own books together, over the number of connections.
    double process_bytes_per_connection = 0;
    StallResults stalls;
};

struct HoldResult {
    std::uint64_t connections = 0;
    std::uint64_t verified = 0;
    std::uint64_t lost = 0;
    double held_seconds = 0;       // once all had answered
    double ping_interval_s = 0;    // 0: no pings
    std::uint64_t pings = 0;       // that the server sent to silent connections,
    std::uint64_t pongs = 0;       // and that were answered
    std::uint64_t unanswered = 0;  // connections that the server gave up for want of an answer
    StallResults stalls;
};

struct EchoResult {
    std::uint64_t connections = 0;
    std::uint64_t payload_bytes = 0;
    std::uint64_t in_flight = 0;  // a connection
    double seconds = 0;
    double messages_per_s = 0;  // echoes verified by the client
    double bytes_per_s = 0;     // their payload, one way
    std::uint64_t messages = 0;
    std::uint64_t verified_bytes = 0;  // by the client
    std::uint64_t server_verified_bytes = 0;
    std::uint64_t corrupted = 0;
    std::uint64_t lost = 0;
    // Segments that the client's TCP sent while `messages` were counted, pure acknowledgements included:
    // fewer than messages means that messages shared segments.
    std::uint64_t client_segments = 0;
};

// Echoes, each on a connection picked at random among all, and in turns among a few.
struct ScatterResult {
    std::uint64_t connections = 0;
    std::uint64_t few_connections = 0;
    double messages_per_s = 0;
    double few_messages_per_s = 0;
    double ratio = 0;  // of the two
    std::uint64_t messages = 0;
    std::uint64_t corrupted = 0;
    std::uint64_t lost = 0;
};

// A turn of the fanout stage.
struct FanoutTurn {
    std::uint64_t published = 0;
    std::uint64_t deliveries = 0;
    double deliveries_per_s = 0;
    std::uint64_t segments = 0;    // that brought them to the client
    Quantiles last_subscriber_ns;  // from when a message was to be published until the last one had it
};

// What the server publishes, to the subscribers of its topic.
struct FanoutResult {
    std::uint64_t subscribers = 0;
    std::uint64_t failed = 0;  // connections that did not become subscribers
    std::uint64_t payload_bytes = 0;
    std::uint64_t topics = 0, topics_each = 0;
    double server_bytes_per_subscriber = 0;
    FanoutTurn single;        // a message when all have the last one: one in a segment
    std::uint64_t burst = 0;  // or so many:
    FanoutTurn merged;
    FanoutTurn at_half, at_four_fifths;  // messages at 50 % and 80 % of the first one's rate
    std::uint64_t stalled = 0;           // at 50 % again, with so many who have stopped reading
    FanoutTurn with_stalled;
    double stalled_growth_bytes = 0;  // of the server's memory in that turn
    std::uint64_t gaps = 0;           // deliveries that did not come
    std::uint64_t wrong = 0;          // that were changed, doubled or out of order
    std::uint64_t ended = 0;          // connections that were lost
    std::uint64_t refused = 0;        // publications
};

// Connections that come and go: connect, upgrade, one verified echo, close.
struct ChurnResult {
    double seconds = 0;
    double rate_per_s = 0;
    std::uint64_t rounds = 0;
    std::uint64_t failed = 0;
    std::map<std::string, std::uint64_t> failed_because;
    StallResults stalls;
};

struct CloseResult {
    std::uint64_t connections = 0;
    std::uint64_t closed = 0;  // with the closing handshake
    double seconds = 0;
    double rate_per_s = 0;
    StallResults stalls;
};

struct LatencyResult {
    std::string mode;  // "open loop, constant", "open loop, poisson", "ping-pong"
    std::string url;   // of the server; empty: the lab's own
    std::uint64_t connections = 1;
    std::uint64_t payload_bytes = 0;  // of the longest message
    double requested_per_s = 0;       // open loop
    double rate_per_s = 0;            // answered in the time that was measured
    double seconds = 0;
    double measured_at = 0;  // when that began: seconds since 1970, by this machine's clock
    // Of the whole stage, warm-up included:
    std::uint64_t sent = 0;
    std::uint64_t unsent = 0;  // open loop: had no place to go, because their connection was gone or full
    std::uint64_t lost = 0;    // sent, and no answer came
    std::uint64_t corrupted = 0;
    std::uint64_t closed = 0;  // connections that ended before their time
    std::uint64_t retransmits = 0;
    Quantiles rtt_ns;        // open loop: from the intended send; ping-pong: from the actual one
    Quantiles service_ns;    // from the actual send
    Quantiles send_lag_ns;   // open loop: from the intended send to the actual one
    Quantiles floor_rtt_ns;  // the lab: of the bare ring between the same cores
    double rtt_p50_over_floor_p50 = 0;
    Latencies latencies;  // all of it
    std::vector<PollTrace> polls;
    std::vector<std::string> missed;  // what was asked of the run and was not reached, in words
};

// Of messages to any server and back.
struct LoadResult {
    std::string mode;               // "closed loop", "open loop", "listening", "churn"
    std::uint64_t connections = 0;  // open when it began; churn: at one time
    std::uint64_t in_flight = 0;    // closed loop: messages a connection
    double requested_per_s = 0;     // open loop: messages a second in all
    double seconds = 0;             // measured, warm-up not counted
    double measured_at = 0;         // when that began: seconds since 1970, by this machine's clock
    std::uint64_t messages = 0;     // that came in this time: echoes verified; listening: any; churn: rounds
    double messages_per_s = 0;
    double bytes_per_s = 0;  // their payload
    // Of the whole stage, warm-up included:
    std::uint64_t sent = 0;
    std::uint64_t unsent = 0;     // open loop: had no place to go, because their connection was gone or full
    std::uint64_t lost = 0;       // sent, and no echo came
    std::uint64_t corrupted = 0;  // echoes that were not what was sent, or that nobody had asked for
    std::uint64_t closed = 0;     // connections that ended before their time
    std::map<std::string, std::uint64_t> closed_because;
    std::map<std::string, std::uint64_t> failed_because;  // churn: openings
    // From the time at which a message was to be sent (open loop) or was (closed loop) to its echo; churn:
    // from connect() to the end of the closing handshake.
    Quantiles rtt_ns;
    Quantiles service_ns;   // the same from the time at which it was sent
    Quantiles send_lag_ns;  // open loop: from the time at which a message was to be sent to when it was
    std::uint64_t retransmits = 0;  // uring: of the whole machine
    Latencies latencies;            // all of them
    std::vector<PollTrace> polls;
    // The runs of a search for the highest rate, in their order; the result is that of the best.
    struct Try {
        double rate_per_s = 0;
        std::uint64_t p50_ns = 0, p99_ns = 0;
        std::string too_much;  // what went wrong; empty: the rate was kept
    };
    std::vector<Try> tries;
    // What was asked of the run and was not reached, in words.
    std::vector<std::string> missed;
};

// Where several processes made the load.
struct ProcessesResult {
    std::size_t count = 1;  // that began
    std::vector<std::string> lost;
    std::uint64_t began_within_ns = 0;  // of one another at most: the run, the latest
};

struct BulkResult {
    std::uint64_t payload_bytes = 0;  // compared by the receiver
    double seconds = 0;
    double gbit_per_s = 0;  // of payload
    std::uint16_t mtu = 0;
    std::uint16_t mss = 0;  // payload bytes of a full segment
    std::uint64_t window_bytes = 0;
    std::uint64_t segments = 0;         // that the sender sent
    std::uint64_t acknowledgments = 0;  // segments that the receiver sent
    std::uint64_t retransmits = 0;
    std::uint64_t corrupted_bytes = 0;
    std::string checksums;  // "software": computed and verified at both ends; "none": neither
    // Shares of the time: in turns of the loop that had something to do, and that the thread had its core.
    double sender_busy = 0, receiver_busy = 0;
    double sender_cpu = 0, receiver_cpu = 0;
};

// What fell to one shard of the lab, at the end of a run.
struct ShardShare {
    std::string end;  // "server", "client"
    unsigned core = 0;
    std::uint64_t connections = 0;  // after the connect stage
    std::uint64_t messages = 0;     // received in all
};

struct Result {
    std::string program;
    std::vector<std::string> invalid_because;  // sentences; a run is valid when there are none
    std::vector<std::string> remarks;          // what the reader should know of a valid run
    Environment environment;
    std::optional<ConnectResult> connect;
    std::optional<HoldResult> hold;
    std::optional<EchoResult> echo;
    std::optional<ScatterResult> scatter;
    std::optional<FanoutResult> fanout;
    std::optional<LatencyResult> latency;
    std::optional<ChurnResult> churn;
    std::optional<CloseResult> close;
    std::optional<BulkResult> bulk;
    std::optional<LoadResult> load;
    std::optional<ProcessesResult> processes;
    std::optional<ClockResult> clock;
    // By end ("server", "client") and name, summed over its shards.
    std::map<std::string, std::map<std::string, std::uint64_t>> counters;
    std::vector<ShardShare> shards;

    bool valid() const { return invalid_because.empty(); }
    bool thresholds_hold() const {
        return (!load || load->missed.empty()) && (!latency || latency->missed.empty());
    }
};

}  // namespace millrace::bench
