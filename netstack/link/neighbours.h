#pragma once
// The neighbour table of one shard: IPv4 address to MAC address (ARP, RFC 826; behaviour of RFC 1122
// section 2.3.2). Sans-I/O: ARP packets to send, and packets whose wait is over, come out as lists that the
// caller drains.
//
// An entry's life:
//
//     (none) --send--> resolving --reply--> fresh --60 s and in use--> probing --reply--> fresh
//                          |                                              |
//                          +---3 tries, 1 s apart---> failed <------------+
//
// A probing entry still delivers. A failed one refuses packets until its hold is over; the next packet then
// tries again.

#include <rte_mbuf.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "netstack/base/address.h"
#include "netstack/base/counter.h"
#include "netstack/base/error.h"
#include "netstack/base/reserved_array.h"
#include "netstack/base/time.h"
#include "netstack/ip/local_addresses.h"
#include "netstack/link/arp.h"
#include "netstack/link/ethernet.h"

namespace millrace::net {

struct NeighbourConfig {
    std::uint32_t max_entries = 4096;
    std::uint32_t max_waiting = 4096;  // packets that wait for resolution, in all
    std::uint16_t max_waiting_per_entry = 1024;
    Duration fresh = 60s;  // RFC 1122 section 2.3.2.1: of the order of a minute
    Duration retry = 1s;   // same section: at most one request a second for an address
    std::uint8_t tries = 3;
    Duration failed_hold = 1s;
    bool answers = true;  // of several shards that see the same requests only one answers
};

struct NeighbourCounters {
    Counter requests_sent, requests_received, replies_sent, replies_received;
    Counter ignored;       // not for us, or about addresses outside our subnets
    Counter conflicts;     // somebody else claims an address of ours
    Counter failed;        // resolutions given up
    Counter waiting_full;  // packets refused: too many wait already
    Counter table_full;    // packets refused: no entry left
    Counter unreachable;   // packets refused or given back: resolution failed
};

class Neighbours {
  public:
    struct ArpToSend {
        MacAddress destination;
        ArpPacket packet;
    };

    static Expected<Neighbours> create(const NeighbourConfig& config, const MacAddress& mac,
                                       const LocalAddresses& local);

    // The Ethernet header of packets for this neighbour, ready to be copied; null while it is not known: then
    // wait().
    const EthernetHeader* find(const IpAddress& neighbour, Time now);

    // Takes `packet` over until the neighbour's address is known; it comes out in ready() or failed(). False
    // when a bound was reached or resolution has just failed: the packet stays with the caller, and the
    // reason was counted.
    bool wait(const IpAddress& neighbour, rte_mbuf* packet, Time now);

    // Where the addresses live from now on (they are read by every operation).
    void follow(const LocalAddresses& local) { local_ = &local; }

    // An ARP packet that arrived.
    void input(const ArpPacket& packet, Time now);

    // Announces our addresses (gratuitous ARP, RFC 5227 section 2.3), a few at each run_timers().
    void announce() { announced_ = 0; }
    void run_timers(Time now);
    // When run_timers() next has something to do.
    Time next_timer() const { return announcing() ? Time::min() : next_timer_; }

    // What came out since the last clear(). Packets in ready() and failed() belong to the caller; each in
    // ready() goes to its neighbour, whom find() now knows.
    struct Ready {
        rte_mbuf* packet;
        EthernetHeader header;
    };
    std::span<const ArpToSend> to_send() const { return to_send_; }
    std::span<const Ready> ready() const { return ready_; }
    std::span<rte_mbuf* const> failed() const { return failed_; }
    bool has_actions() const { return !(to_send_.empty() && ready_.empty() && failed_.empty()); }
    void clear();

    std::size_t size() const { return size_; }
    const NeighbourCounters& counters() const { return *counters_; }
    std::size_t memory_in_use() const { return entries_.resident_bytes() + waiting_.resident_bytes(); }

    // Frees the packets that still wait.
    ~Neighbours();
    Neighbours(Neighbours&&) = default;
    Neighbours& operator=(Neighbours&&) = delete;

  private:
    enum class State : std::uint8_t { kNone, kResolving, kFresh, kProbing, kFailed };

    struct Entry {  // one cache line; all zero is an empty slot
        IpAddress ip;
        EthernetHeader header;
        State state;
        std::uint8_t tries;
        bool used;  // since the eviction hand last passed
        std::uint16_t waiting;
        std::uint32_t first_waiting, last_waiting;  // indices + 1
        Time due;  // fresh: begin of probing; resolving and probing: next try; failed: end of the hold
    };
    static_assert(sizeof(Entry) <= 64);

    struct Waiting {
        rte_mbuf* packet;
        std::uint32_t next;  // index + 1
    };

    Neighbours(const NeighbourConfig& config, const MacAddress& mac, const LocalAddresses& local);

    std::size_t slot_of(const IpAddress& ip) const;
    Entry* lookup(const IpAddress& ip);
    Entry* insert(const IpAddress& ip);
    void erase(std::size_t slot);
    bool make_room();
    void learn(Entry& entry, const MacAddress& mac, Time now);
    void begin_tries(Entry& entry, State state, Time now);
    void try_once(Entry& entry, Time now);
    void give_up(Entry& entry, Time now);
    void reply_to(const ArpPacket& request);
    void send_announcements();
    void forget_settled();
    static bool in_motion(const Entry& entry) {
        return entry.state == State::kResolving || entry.state == State::kProbing;
    }
    bool announcing() const { return announced_ != kAllAnnounced; }
    template <class Use>
    void take_waiting(Entry& entry, Use&& use);

    static constexpr std::uint64_t kAllAnnounced = ~std::uint64_t{0};
    static constexpr std::size_t kArpsAtOnce = 64;

    NeighbourConfig config_;
    MacAddress mac_;
    const LocalAddresses* local_;
    std::size_t mask_ = 0;
    std::size_t size_ = 0;
    std::size_t hand_ = 0;
    std::uint32_t free_waiting_ = 0;   // index + 1 of the first free one that was used before
    std::uint32_t fresh_waiting_ = 0;  // those from here on were never used
    std::uint64_t announced_ = kAllAnnounced;
    Time next_timer_ = kNever;
    ReservedArray<Entry> entries_;
    ReservedArray<Waiting> waiting_;
    std::vector<IpAddress> in_motion_;  // resolving or probing
    std::vector<ArpToSend> to_send_;
    std::vector<Ready> ready_;
    std::vector<rte_mbuf*> failed_;
    std::unique_ptr<NeighbourCounters> counters_ = std::make_unique<NeighbourCounters>();
};

}  // namespace millrace::net
