#pragma once
// The neighbour table of one shard: IP address to MAC address, by ARP (RFC 826, RFC 1122 section 2.3.2) for
// IPv4 and by neighbour discovery (RFC 4861) for IPv6. Sans-I/O: messages to send, and packets whose wait is
// over, come out as lists that the caller drains.
//
// An entry's life is that of RFC 4861 section 7.3.2, for both families. ARP ages entries more slowly, probes
// at once (no DELAY), and takes whatever is said to it as a confirmation, as RFC 826 has it:
//
//     (none) --send--> INCOMPLETE --answer--> REACHABLE --time--> STALE --use--> DELAY --5 s--> PROBE
//                          |                      ^                                               | |
//                          |                      +--------------------answer--------------------+ |
//                          +---3 tries, 1 s apart---> failed <---3 tries, 1 s apart----------------+
//
// STALE, DELAY and PROBE still deliver. A failed entry refuses packets until its hold is over; the next
// packet then tries again.
//
// In a full table a newcomer takes the place of an entry that has not been used for a while. Those whose
// address is not known, which anybody can make us ask for, may have half of it in this way (RFC 6583 section
// 7.1); a router's entry stays.
//
// Our own addresses are asked about at the start (RFC 4862 section 5.4, RFC 5227 section 2.1), and are not
// used before nobody has claimed them for a while; then they are announced (RFC 5227 section 2.3, RFC 4861
// section 7.2.6), and defended from then on. One question and a second's wait serve both families: RFC 5227's
// three and up to nine seconds are for addresses that a machine picks, ours are given by hand.

#include <rte_mbuf.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "netstack/base/address.h"
#include "netstack/base/counter.h"
#include "netstack/base/error.h"
#include "netstack/base/reserved_array.h"
#include "netstack/base/time.h"
#include "netstack/ip/local_addresses.h"
#include "netstack/link/arp.h"
#include "netstack/link/ethernet.h"
#include "netstack/link/nd.h"

namespace millrace::net {

struct NeighbourConfig {
    std::uint32_t max_entries = 4096;
    std::uint32_t max_waiting = 4096;  // packets that wait for resolution, in all
    std::uint16_t max_waiting_per_entry = 1024;
    Duration fresh = 60s;      // ARP; RFC 1122 section 2.3.2.1: of the order of a minute
    Duration reachable = 30s;  // RFC 4861 section 10: REACHABLE_TIME
    Duration delay = 5s;       // DELAY_FIRST_PROBE_TIME
    Duration retry = 1s;       // RETRANS_TIMER; and RFC 1122: at most one request a second for an address
    std::uint8_t tries = 3;    // MAX_MULTICAST_SOLICIT and MAX_UNICAST_SOLICIT
    Duration failed_hold = 1s;
    // Our addresses are asked about, and not used, so long (RFC 4862 section 5.4: RETRANS_TIMER). Zero: they
    // are ours at once (section 5.1), as where we know who else is on the link.
    Duration tentative = 1s;
    bool answers = true;  // of several shards that see the same requests only one answers
};

struct NeighbourCounters {
    Counter requests_sent, requests_received, replies_sent, replies_received;
    Counter ignored;     // not for us, or about addresses outside our subnets
    Counter conflicts;   // somebody else claims an address of ours
    Counter duplicates;  // addresses that we leave to others, who had them before us
    Counter solicitations_sent, solicitations_received, advertisements_sent, advertisements_received;
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

    struct NdToSend {
        MacAddress destination;
        NdPacket packet;
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

    // What arrived: an ARP packet, a neighbour solicitation or advertisement, and the link-layer address that
    // a router gives for itself.
    void input(const ArpPacket& packet, Time now);
    // True for an advertisement that is believed.
    bool input(const NdPacket& packet, Time now);
    void learn_router(const IpAddress& router, const MacAddress& mac);

    // Asks about our addresses and announces them, a few at each run_timers().
    void announce() {
        asking_ = config_.tentative > Duration{};
        round_ = asking_ ? Round::kAsk : Round::kFirst;
        announced_ = 0;
    }
    // Duplicate address detection is under way: our addresses are tentative, and not to be used.
    bool asking() const { return asking_; }
    // Once it is over: those of ours that are another's. Of more than can be listed, all are.
    std::span<const IpAddress> duplicates() const { return duplicates_; }
    bool all_duplicate() const { return all_duplicate_; }
    void run_timers(Time now);
    // When run_timers() next has something to do.
    Time next_timer() const { return announcing() ? Time::min() : std::min(next_timer_, next_round_); }
    // Advice for the user when an address of ours was seen to be another's too; empty otherwise.
    std::string hint() const;

    // What came out since the last clear(). Packets in ready() and failed() belong to the caller; each in
    // ready() goes to its neighbour, whom find() now knows.
    struct Ready {
        rte_mbuf* packet;
        EthernetHeader header;
    };
    std::span<const ArpToSend> to_send() const { return to_send_; }
    std::span<const NdToSend> nd_to_send() const { return nd_to_send_; }
    std::span<const Ready> ready() const { return ready_; }
    std::span<rte_mbuf* const> failed() const { return failed_; }
    // Routers that do not answer.
    std::span<const IpAddress> silent_routers() const { return silent_routers_; }
    bool has_actions() const {
        return !(to_send_.empty() && nd_to_send_.empty() && ready_.empty() && failed_.empty() &&
                 silent_routers_.empty());
    }
    void clear();

    std::size_t size() const { return size_; }
    const NeighbourCounters& counters() const { return *counters_; }
    std::size_t memory_in_use() const { return entries_.resident_bytes() + waiting_.resident_bytes(); }

    // Frees the packets that still wait.
    ~Neighbours();
    Neighbours(Neighbours&&) = default;
    Neighbours& operator=(Neighbours&&) = delete;

  private:
    enum class State : std::uint8_t { kNone, kIncomplete, kReachable, kStale, kDelay, kProbe, kFailed };
    // Of asking about and announcing our own addresses.
    enum class Round : std::uint8_t { kAsk, kFirst, kSecond, kOver };

    struct Entry {  // one cache line; all zero is an empty slot
        IpAddress ip;
        EthernetHeader header;
        State state;
        std::uint8_t tries;
        bool used;  // since the eviction hand last passed
        std::uint16_t waiting;
        std::uint32_t first_waiting, last_waiting;  // indices + 1
        Time due;  // REACHABLE: its end; INCOMPLETE, DELAY, PROBE: what comes next; failed: end of the hold
    };
    static_assert(sizeof(Entry) <= 64);

    struct Waiting {
        rte_mbuf* packet;
        std::uint32_t next;  // index + 1
    };

    Neighbours(const NeighbourConfig& config, const MacAddress& mac, const LocalAddresses& local);

    std::size_t slot_of(const IpAddress& ip) const;
    Entry* lookup(const IpAddress& ip);
    enum class Newcomer : bool { kUnresolved, kKnown };
    Entry* insert(const IpAddress& ip, Newcomer newcomer);
    void erase(std::size_t slot);
    bool make_room(Newcomer newcomer);
    void become(Entry& entry, State state);
    const EthernetHeader* use_aged(Entry& entry, Time now);
    void set_mac(Entry& entry, const MacAddress& mac);
    void confirm(Entry& entry, Time now);
    void become_stale(Entry& entry);
    void deliver_waiting(Entry& entry);
    void put_in_motion(Entry& entry, State state, Time due);
    void begin_tries(Entry& entry, State state, Time now);
    void try_once(Entry& entry, Time now);
    bool ask(const Entry& entry);
    void give_up(Entry& entry, Time now);
    void forget_settled();
    static bool unresolved(State state) { return state == State::kIncomplete || state == State::kFailed; }
    static bool settled(const Entry& entry) {
        return entry.state == State::kReachable || entry.state == State::kStale ||
               entry.state == State::kFailed;
    }

    // neighbours_arp.cc
    void reply_to(const ArpPacket& request);
    bool send(const ArpToSend& arp);
    // neighbours_nd.cc
    void solicitation_arrives(const NdPacket& packet, Time now);
    bool advertisement_arrives(const NdPacket& packet, Time now);
    void learn_from_source(const IpAddress& source, const MacAddress& mac);
    void answer(const NdPacket& solicitation);
    bool send(const NdToSend& nd);
    // neighbours_own.cc: our own addresses
    bool announcing() const { return announced_ != kAllAnnounced; }
    void send_announcements(Time now);
    bool announce_one(const IpAddress& ip);
    void conflict(const IpAddress& ip, Time now);
    bool is_duplicate(const IpAddress& ip) const;
    template <class Use>
    void take_waiting(Entry& entry, Use&& use);

    static constexpr std::uint64_t kAllAnnounced = ~std::uint64_t{0};
    static constexpr std::size_t kMessagesAtOnce = 64;  // of ARP, and of ND
    static constexpr std::size_t kMostDuplicates = 16;  // remembered
    static constexpr std::size_t kMostSilentRouters = 8;

    NeighbourConfig config_;
    MacAddress mac_;
    const LocalAddresses* local_;
    std::size_t mask_ = 0;
    std::size_t size_ = 0;
    std::size_t unresolved_ = 0;  // of these
    std::size_t hand_ = 0;
    std::uint32_t free_waiting_ = 0;   // index + 1 of the first free one that was used before
    std::uint32_t fresh_waiting_ = 0;  // those from here on were never used
    Round round_ = Round::kOver;
    bool asking_ = false;
    bool all_duplicate_ = false;
    std::uint64_t announced_ = kAllAnnounced;  // in this round
    Time next_round_ = kNever;
    Time next_defence_{};
    Time next_timer_ = kNever;
    ReservedArray<Entry> entries_;
    ReservedArray<Waiting> waiting_;
    std::vector<IpAddress> in_motion_;  // INCOMPLETE, DELAY or PROBE
    std::vector<IpAddress> duplicates_;
    std::vector<ArpToSend> to_send_;
    std::vector<NdToSend> nd_to_send_;
    std::vector<Ready> ready_;
    std::vector<rte_mbuf*> failed_;
    std::vector<IpAddress> silent_routers_;
    std::unique_ptr<NeighbourCounters> counters_ = std::make_unique<NeighbourCounters>();
};

}  // namespace millrace::net
