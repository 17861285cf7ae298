#pragma once
// What happens in one simulation, all of it drawn from its seed: the two hosts, the wire between them, what
// goes wrong and when, and what the applications do.

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "netstack/base/time.h"
#include "netstack/port/port.h"
#include "netstack/tcp/config.h"

namespace millrace::sim {

// What a seed means is taught in editions: a later one draws what earlier ones left as it was, from streams
// of its own, so that a seed of an earlier edition stays what it was when it failed.
//   1: the wire's faults, path MTU, pools, clocks, reboots, what applications do
//   2: congestion control, presets, SACK, keep-alive, user timeout, first windows, options that a middlebox
//      takes out of SYNs, jumbo frames, both families on one wire, one shared message for many connections
//   3: checksums and segmentation that are left to the port
inline constexpr unsigned kEdition = 3;

// One direction of the wire. Times are since the beginning; faults end at Scenario::calm.
struct WirePlan {
    double loss = 0;
    // Gilbert-Elliott: from the good state to the bad one, back, and the loss while it is bad.
    double burst_enter = 0, burst_leave = 1, burst_loss = 0;
    double duplication = 0;
    double reordering = 0;  // so many are held back by up to `jitter` and are overtaken
    double corruption = 0;  // bits flipped, or the end cut off
    Duration delay{};
    Duration jitter{};
    std::uint64_t bits_per_second = 0;  // 0: no limit
    std::uint64_t queue_bytes = 0;      // before the bottleneck
};

struct Outage {
    Duration from, length;
    bool ways[2];  // which directions
};

// The router in the middle passes packets up to `mtu` from then on, and says so by ICMP or does not.
struct MtuChange {
    Duration at;
    std::uint16_t mtu;
    bool silent;
};

// Options that something on the path takes out of every SYN, so that they are not agreed upon.
struct Middlebox {
    bool timestamps, sack, window_scale;
};

enum class PoolKind : std::uint8_t { kData, kHeaders, kReceive };

// For a time all but a few of a pool's mbufs are somebody else's.
struct Drought {
    Duration from, length;
    PoolKind pool;
    unsigned left;
};

struct ClockJump {
    Duration at, by;
};

// What a host's clock stands at in the beginning.
enum class Epoch : std::uint8_t { kAny, kIsnWraps, kTimestampsWrap };

struct HostPlan {
    tcp::Config tcp;
    unsigned data_mbufs, header_mbufs, receive_mbufs;
    bool jumbo;  // mbufs hold a jumbo frame
    std::uint16_t mtu;
    Duration poll_interval;  // the loop turns no faster
    unsigned port_keeps;     // sent mbufs that the port gives back only after so many more
    net::Offloads offloads;  // of its port
    Epoch epoch;
    std::vector<Drought> droughts;
    std::vector<ClockJump> jumps;
    std::vector<Duration> reboots;
};

enum class Ending : std::uint8_t {
    kClose,           // once all is sent
    kCloseAfterPeer,  // once all is sent and the peer has closed
    kCloseAfterAll,   // once all is sent and all of the peer's has been received
    kAbort,           // somewhere on the way
};

// One application's part in a connection.
struct TalkerPlan {
    std::uint64_t bytes;
    std::uint64_t most_at_once;
    unsigned reference_percent;  // so many appends are by reference
    Duration think;              // between writes; 0: as fast as they are taken
    bool early;                  // writes before the connection is established
    unsigned pauses;
    Duration longest_pause;
    unsigned keep_percent;  // so many received mbufs are kept for a while
    Ending ending;
    std::uint64_t abort_after;  // bytes sent and received, with kAbort
    std::uint64_t broadcast;    // 0, or its stream is that of all who broadcast, in messages of so many bytes
};

struct ConversationPlan {
    Duration at;
    unsigned opener;  // the host that connects
    bool ipv6;
    TalkerPlan talkers[2];  // the opener's, the other's
    unsigned attempts;      // after a failure the opener tries again
};

struct Scenario {
    explicit Scenario(std::uint64_t seed, unsigned edition = kEdition);

    std::uint64_t seed;
    unsigned edition;
    bool ipv4, ipv6;    // families that are spoken
    WirePlan wires[2];  // from host 0, from host 1
    Middlebox middlebox{};
    std::vector<Outage> outages;
    std::vector<MtuChange> mtu_changes;
    HostPlan hosts[2];
    std::vector<ConversationPlan> conversations;
    Duration calm;    // from here on nothing goes wrong any more, and nobody dawdles
    Duration settle;  // so long after it, conversations between live ends are over
    bool harsh;       // connections may fail; else each one must finish

    std::string describe() const;
};

}  // namespace millrace::sim
