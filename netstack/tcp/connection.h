#pragma once
// The transmission control block (RFC 9293 section 3.3.1): two cache lines, the first of which is all that
// the usual segment reads and writes. What exists only while there is something to hold (send queue,
// reassembly, timers) is named by the index of a block in one of the shard's pools.
//
//     send     snd_una ......... snd_nxt ......... queue end     receive   rcv_nxt ......... rcv_adv
//              | sent, unacked  | queued, unsent  |                        | what the peer may send |

#include <cstdint>

#include "netstack/base/address.h"
#include "netstack/base/block_pool.h"
#include "netstack/tcp/congestion.h"
#include "netstack/tcp/rto.h"
#include "netstack/tcp/seq.h"

namespace millrace::tcp {

enum class State : std::uint8_t {
    kFree,  // not a connection: zeroed memory is an array of these
    kSynSent,
    kSynReceived,
    kEstablished,
    kFinWait1,
    kFinWait2,
    kCloseWait,
    kClosing,
    kLastAck,
    kTimeWait,
    kAborted,  // over; its RST leaves with the next flush
};

// Bits of Connection::flags.
enum Flag : std::uint32_t {
    kInDirtyList = 1u << 0,  // belongs to the slot rather than the connection, as kInReadyList does
    kInReadyList = 1u << 1,
    kTimestamps = 1u << 2,    // both ends sent the option in their SYNs (RFC 7323 section 3.2)
    kActiveOpen = 1u << 3,    // we connected; else a listener accepted
    kSynDue = 1u << 4,        // SYN or SYN-ACK to be sent with the next flush
    kAckNow = 1u << 5,        // ACK to be sent with the next flush
    kAckPending = 1u << 6,    // ACK owed: on a segment of ours, or when ack_at comes
    kAckTimer = 1u << 7,      // ack_at holds
    kRexmitTimer = 1u << 8,   // rexmit_at holds
    kPersistTimer = 1u << 9,  // rexmit_at is the persist timer's (RFC 9293 section 3.8.6.1)
    kProbeDue = 1u << 10,     // window probe to be sent with the next flush
    kFinQueued = 1u << 11,    // close() was called
    kFinDue = 1u << 12,       // FIN to be sent once everything before it has been
    kFinSent = 1u << 13,      // snd_nxt counts it
    kRecovery = 1u << 14,     // fast recovery (RFC 6582; RFC 8985 with RFC 6937), up to `recover`
    kPartialAck = 1u << 15,   // a partial ACK was seen in this recovery
    kSendRefused = 1u << 16,  // prepare() or append() said no: kWritable is owed
    kPaused = 1u << 17,
    kCloseUnsent = 1u << 18,      // close() in SYN-SENT: kClosed is owed
    kSynLost = 1u << 19,          // RFC 6298 (5.7)
    kPoolRefused = 1u << 20,      // of kSendRefused the reason: mbufs, not the send limit
    kWindowScaling = 1u << 21,    // both ends sent the option (RFC 7323 section 2.2)
    kSack = 1u << 22,             // both ends sent SACK-Permitted (RFC 2018 section 2)
    kTimeoutRecovery = 1u << 23,  // after a retransmission timeout, up to `recover`
    kSacked = 1u << 24,           // the scoreboard has SACKed units
    kReordering = 1u << 25,       // RACK.reordering_seen (RFC 8985 section 5.3)
    kReorderTimer = 1u << 26,     // rexmit_at is the reordering timer's (RFC 8985 section 6.2 step 5)
    kProbeTimer = 1u << 27,       // rexmit_at is the tail loss probe's, PTO (RFC 8985 section 7.2)
    kTailProbe = 1u << 28,        // a probe is out: `recover` is TLP.end_seq
    kProbeResent = 1u << 29,      // it was a retransmission: TLP.is_retrans
    kExtra = 1u << 30,            // the connection's third line is in use (connection_extra.h)
    kIpv6 = 1u << 31,             // the addresses lie elsewhere
};

// In TIME-WAIT: the neighbours in the list of those that wait.
struct TimeWait {
    std::uint32_t newer, older;
    std::uint32_t entered_ms;
};

struct AddressPair {
    net::IpAddress remote, local;
    friend constexpr bool operator==(const AddressPair&, const AddressPair&) = default;
};

// Blocks of a pool; kNoBlock: none.
struct alignas(64) Connection {
    // --- what every segment touches ---
    net::Ipv4 remote_ip;  // not with kIpv6: then an AddressPair under the same index holds them
    net::Ipv4 local_ip;
    std::uint16_t remote_port;
    std::uint16_t local_port;
    State state;
    std::uint8_t scales;  // window scale shifts: send in the low four bits, receive in the high ones
    std::uint8_t dup_acks;
    std::uint8_t quick_acks;  // so many segments from now are acknowledged at once
    std::uint32_t flags;
    Seq rcv_nxt;
    Seq rcv_adv;              // right edge of the window we advertised: RCV.NXT + RCV.WND
    Seq last_ack_sent;        // RFC 7323 section 4.3: Last.ACK.sent
    std::uint32_t ts_recent;  // TS.Recent
    Seq snd_una;
    Seq snd_nxt;            // never goes back: retransmission has marks of its own in SendQueue
    std::uint32_t snd_wnd;  // bytes, scaled
    Seq snd_wl1;
    Seq snd_wl2;
    std::uint32_t send_queue;
    std::uint32_t reassembly;

    // --- the rest ---
    union {
        Congestion congestion;
        TimeWait time_wait;  // in that state
    };
    Seq recover;  // SND.NXT when recovery began, or when the tail loss probe was sent
    RttEstimate rtt;
    std::uint16_t mss;  // Eff.snd.MSS: payload bytes of a segment with our options
    std::uint16_t
        max_window;  // the largest window field the peer sent (RFC 9293 section 3.8.6.2.1: Max(SND.WND))
    std::uint16_t ts_recent_at;  // hours; TS.Recent goes stale after 24 days (RFC 7323 section 5.5)
    std::uint8_t backoff;        // doublings of the RTO
    std::uint8_t retries;        // timeouts since the peer last acknowledged anything
    std::uint32_t ts_offset;     // our timestamp clock's
    std::uint32_t timer;         // Wheel's: fires at the earliest of ack_at and rexmit_at, or before
    std::uint32_t timer_at;      // microseconds, as all the times below
    std::uint32_t app_timer;
    std::uint32_t ack_at;
    std::uint32_t rexmit_at;
    std::uint32_t challenge_at;  // when the last challenge ACK was sent
    std::uint32_t last_sent;     // when the last SYN or data were sent

    bool has(std::uint32_t flag) const { return flags & flag; }
    void set(std::uint32_t flag) { flags |= flag; }
    void clear(std::uint32_t flag) { flags &= ~flag; }

    // A listener's, whose peer has not proved yet that it is there.
    bool is_half_open() const { return state == State::kSynReceived && !has(kActiveOpen); }
    unsigned send_scale() const { return scales & 15; }
    unsigned receive_scale() const { return scales >> 4; }
    std::uint32_t receive_window() const { return rcv_adv - rcv_nxt; }
    std::uint32_t max_send_window() const { return std::uint32_t{max_window} << send_scale(); }
};
static_assert(sizeof(Connection) == 128, "one line for every segment, one for the rest");
static_assert(offsetof(Connection, congestion) == 64);

}  // namespace millrace::tcp
