#pragma once
// The TCP of one shard (RFC 9293 and companions): segments and the time come in, segments and events go out.
// It reads no clock and touches no port. One poll of the shard's loop uses it in this order:
//
//     tcp.begin_poll();                                  // events handed out before are over
//     for each segment of the burst: tcp.prefetch_table(hash = tcp.flow_hash(...))
//     for each segment of the burst: tcp.prefetch_connection(hash)
//     for each segment of the burst: tcp.input(...)
//     tcp.run_timers(now);
//     ... the engine handles tcp.events() and calls back in: prepare/room/commit, append, close, ...
//     do {
//         more = tcp.flush(now);                         // fills segments()
//         for (const TxSegment& s : tcp.segments())
//             ip.send(s.packet, 6, s.header_bytes, s.source, s.destination, now);
//         tcp.clear_segments();                          // send() took the references over
//     } while (more);

#include <rte_mbuf.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "netstack/base/address.h"
#include "netstack/base/error.h"
#include "netstack/base/time.h"
#include "netstack/carrier.h"
#include "netstack/ip/output.h"
#include "netstack/port/rss.h"
#include "netstack/tcp/config.h"
#include "netstack/tcp/connection.h"
#include "netstack/tcp/connection_extra.h"
#include "netstack/tcp/connection_slab.h"
#include "netstack/tcp/connection_table.h"
#include "netstack/tcp/counters.h"
#include "netstack/tcp/cubic.h"
#include "netstack/tcp/header.h"
#include "netstack/tcp/newreno.h"
#include "netstack/tcp/path_mtu_cache.h"
#include "netstack/tcp/pool_budget.h"
#include "netstack/tcp/reassembly.h"
#include "netstack/tcp/send_queue.h"
#include "netstack/tcp/shared.h"
#include "netstack/tcp/slot_ring.h"
#include "netstack/tcp/tx_meta.h"
#include "netstack/tcp/tx_segments.h"
#include "netstack/timer/wheel.h"

namespace millrace::tcp {

using net::CloseReason;
using net::ConnId;
using net::EventKind;
using net::IpAddress;
using net::Ipv4;
using net::SocketAddress;

// Received bytes in the mbuf they arrived in, whose data are exactly those bytes.
class MbufBytes {
  public:
    MbufBytes() = default;
    explicit MbufBytes(rte_mbuf* packet) : packet_(packet) {}
    MbufBytes(MbufBytes&& other) noexcept : packet_(std::exchange(other.packet_, nullptr)) {}
    MbufBytes& operator=(MbufBytes&& other) noexcept {
        std::swap(packet_, other.packet_);
        return *this;
    }
    ~MbufBytes() {
        if (packet_) rte_pktmbuf_free(packet_);
    }
    std::span<std::byte> bytes() const {
        if (!packet_) return {};
        return {rte_pktmbuf_mtod(packet_, std::byte*), rte_pktmbuf_data_len(packet_)};
    }

  private:
    rte_mbuf* packet_ = nullptr;  // one segment, owned
};

using Event = net::Event<MbufBytes>;

class Tcp {
  public:
    using Bytes = MbufBytes;
    using Shared = tcp::Shared;

    // `data_pool`: mbufs with room for RTE_PKTMBUF_HEADROOM and one MSS. `header_pool`: small mbufs
    // (kHeaderPoolRoom) for segments without payload and for references. Both with kTxPrivateBytes of private
    // area, used by this shard's thread only, and living longer than the Tcp. `rss` lives longer too.
    static constexpr std::uint16_t kHeaderPoolRoom = RTE_PKTMBUF_HEADROOM + 64;
    static Expected<std::unique_ptr<Tcp>> create(const Config& config, rte_mempool* data_pool,
                                                 rte_mempool* header_pool, std::vector<AddressRange> local,
                                                 const net::Rss& rss, unsigned shard);
    ~Tcp();

    // --- the loop ---
    // Events handed out before are over, and the slots of connections that ended may have new tenants.
    void begin_poll();
    // The pools that the segments handed to input() come from, which live longer than the Tcp. Half of what
    // may be taken of them now is the most that is held of what came out of order or to a paused application;
    // text is refused, but not its acknowledgment, while less than an eighth is free. Without any, neither is
    // looked at.
    void receives_from(std::vector<rte_mempool*> pools);
    // Of a segment that begins with the TCP header; what the prefetches and input() ask for.
    std::uint32_t flow_hash(const rte_mbuf* segment, const IpAddress& source,
                            const IpAddress& destination) const;
    void prefetch_table(std::uint32_t flow_hash) const;
    void prefetch_connection(std::uint32_t flow_hash) const;
    // The lines of a connection that is about to be used.
    void prefetch(ConnId id) const;
    // `segment` begins with the TCP header and ends with the IP payload; its checksum has been verified.
    // Takes the mbuf over.
    void input(rte_mbuf* segment, const IpAddress& source, const IpAddress& destination,
               std::uint32_t flow_hash, Time now);
    // ICMP or the neighbour table says that `remote` cannot be reached from `local`; `quoted` is the sequence
    // number in the ICMP message's quotation (RFC 5927 section 4.1), kNoQuote for the neighbour table.
    static constexpr std::uint64_t kNoQuote = ~std::uint64_t{0};
    void unreachable(SocketAddress local, SocketAddress remote, std::uint64_t quoted, Time now);
    // ICMP says that a segment of ours was too large (RFC 1191, RFC 8201). `mtu` is what would pass, in bytes
    // of the whole IP packet; zero from routers that do not say.
    void path_mtu(SocketAddress local, SocketAddress remote, std::uint16_t mtu, std::uint32_t quoted,
                  Time now);
    // A router says that the link's IPv6 packets are no larger than `mtu` bytes (RFC 4861 section 4.6.4);
    // larger than ours it changes nothing. For connections that open from now on.
    void limit_ipv6_mtu(std::uint16_t mtu);
    // The addresses that are ours from now on: the others turned out to be somebody else's. Attempts to
    // connect from those end as unreachable.
    void use_addresses(std::vector<AddressRange> local, Time now);
    void run_timers(Time now);
    std::span<Event> events();
    // Fills segments(). True when there was more to send than room: drain, clear and call again.
    bool flush(Time now);
    std::span<const TxSegment> segments() const;
    void clear_segments();
    // When run_timers() next has something to do (kNever: nothing armed); for simulations in virtual time.
    Time next_timer() const;

    // --- the carrier's connection operations (netstack/carrier.h) ---
    // 0.0.0.0 listens on every IPv4 address, :: on every IPv6 one.
    // `keep_alive`: of the connections that it accepts, instead of the configuration's.
    Expected<void> listen(SocketAddress address, std::optional<Duration> keep_alive = {});
    void stop_listening();
    ConnId connect(SocketAddress remote, Time now);
    void close(ConnId id);
    void abort(ConnId id);
    bool prepare(ConnId id, std::size_t bytes);
    std::span<std::byte> room(ConnId id);
    void commit(ConnId id, std::size_t bytes);
    Shared make_shared(std::span<const std::byte> bytes);
    bool append(ConnId id, const Shared& shared);
    std::size_t unsent(ConnId id) const;
    void pause(ConnId id);
    void resume(ConnId id);
    void set_timer(ConnId id, Time at);
    void cancel_timer(ConnId id);
    SocketAddress peer(ConnId id) const;
    SocketAddress local(ConnId id) const;
    std::size_t connections() const;  // TIME-WAIT not counted: it gives way to new connections
    std::size_t max_connections() const;
    // Less than an eighth of the data or of the header pool is free; looked at every few milliseconds, and
    // when an append was refused for it.
    bool under_pressure() const { return under_pressure_; }
    void populate(std::size_t connections) {
        slab_.populate(connections);
        table_.populate();
    }
    std::size_t memory_in_use() const;  // bytes of tables and pools of state; mbufs not counted
    template <class Visitor>
    void visit_counters(Visitor&& visitor) const {
        for (const CounterName& name : kCounterNames)
            visitor(name.name, (counters_.*name.counter).value());
    }

    // What tests and the status page ask.
    const Counters& counters() const { return counters_; }
    const Connection& connection(ConnId id) const { return slab_[net::index(id)]; }
    std::size_t half_open() const { return half_open_; }
    std::size_t in_time_wait() const { return time_wait_count_; }
    std::size_t table_size() const { return table_.size(); }
    std::uint64_t windows_grown() const { return windows_grown_; }
    std::size_t timers_armed() const { return wheel_.armed(); }
    std::size_t send_queues() const { return send_queues_.in_use(); }
    // Null when nothing is queued or unacknowledged.
    const SendQueue* send_queue(ConnId id) const {
        const std::uint32_t block = connection(id).send_queue;
        return block == kNoBlock ? nullptr : &send_queues_[block];
    }
    std::size_t reassemblies() const { return reassemblies_.in_use(); }

  private:
    friend class Inspector;  // tests/sim/invariants.h

    struct Listener {
        SocketAddress address;
        Duration keep_alive;
    };

    // One connection in the hand: its slot's number and its lines.
    struct Handle {
        std::uint32_t slot;
        Connection& c;
        ConnId id() const { return ConnId{slot}; }
    };

    Tcp(const Config& config, rte_mempool* data_pool, rte_mempool* header_pool,
        std::vector<AddressRange> local, const net::Rss& rss, unsigned shard);
    Handle handle(ConnId id) { return {net::index(id), slab_[net::index(id)]}; }
    void set_now(Time now);
    void look_at_pool();
    bool short_of_memory() const { return under_pressure_ || receive_budget_.spent(); }
    std::uint32_t hash_of(const SocketAddress& remote, const SocketAddress& local) const;
    std::uint32_t find(std::uint32_t hash, const SocketAddress& remote, const SocketAddress& local) const;
    AddressPair addresses(const Connection& c) const {
        return c.has(kIpv6) ? address_pairs_[slab_.number_of(c)] : AddressPair{c.remote_ip, c.local_ip};
    }
    void set_addresses(Connection& c, const IpAddress& remote, const IpAddress& local);
    // What our SYNs say: MTU less IP and TCP headers (RFC 6691).
    std::uint16_t local_mss(bool ipv6) const { return ipv6 ? local_mss_v6_ : local_mss_; }

    // open.cc: slots, their beginning and their end
    std::uint32_t take_slot();
    std::uint32_t open(SocketAddress remote, SocketAddress local, State state, Seq iss);
    void finish(Handle h, CloseReason reason);  // event kClosed, then release
    void release(Handle h);  // everything the connection held, its place in the table, its slot
    void release_buffers(Connection& c);
    Extra& extra(Handle h);
    void learn_options(Handle h, const Options& options);
    std::uint16_t sendable(std::uint16_t mss) const;
    void established(Handle h, const Segment& segment);
    bool is_local(const IpAddress& address) const;

    // connect.cc
    void begin_choosing_ports();
    // A local end that is free, or that of `old`, a connection in TIME-WAIT that may be opened again.
    struct FreeTuple {
        SocketAddress local;
        std::uint32_t old;
    };
    void begin_choice(const SocketAddress& remote);
    SocketAddress local_end(std::uint64_t tuple) const;
    bool propose_local();
    std::optional<FreeTuple> choose_local(const SocketAddress& remote);

    // listen.cc
    void listen_input(Segment& segment, SocketAddress remote, SocketAddress local, std::optional<Seq> iss);
    std::size_t most_half_open() const;
    const Listener* listening_on(const SocketAddress& local) const;
    void answer_with_cookie(const Segment& segment, SocketAddress remote, SocketAddress local);
    bool cookie_arrives(Segment& segment, SocketAddress remote, SocketAddress local);
    std::uint32_t half_opened(SocketAddress remote, SocketAddress local, Seq irs, Seq iss);

    // input.cc: RFC 9293 section 3.10.7
    bool fast_path(Handle h, Segment& segment);
    void no_connection_input(Segment& segment, SocketAddress remote, SocketAddress local);
    void syn_sent_input(Handle h, Segment& segment);
    void segment_arrives(Handle h, Segment& segment);
    bool acceptable(const Connection& c, const Segment& segment) const;
    bool paws_rejects(const Connection& c, const Segment& segment) const;
    // The peer lives: of what a stranger could have sent, nothing says so.
    void heard(Handle h) {
        if (h.c.has(kExtra)) extras_[h.slot].heard_at = now_ms_;
    }
    void update_ts_recent(Connection& c, const Segment& segment);
    bool ack_arrives(Handle h, const Segment& segment);  // false: the segment ends here
    void not_acceptable(Handle h, const Segment& segment);
    void closed_window_input(Handle h, const Segment& segment);

    // ack.cc
    void process_ack(Handle h, const Segment& segment);
    void no_new_ack(Handle h, const Segment& segment);
    void update_send_window(Handle h, const Segment& segment);
    void acked(Handle h, const Segment& segment);
    void advance_una(Handle h, Seq ack);
    bool release_if_empty(Connection& c);
    void sample_rtt(Connection& c, const Arrival& arrival, const Options& options);

    // selective_ack.cc
    void selective_ack(Handle h, const Segment& segment);
    std::optional<SackBlock> duplicate_block(const Segment& segment) const;
    void mark_sacked(Connection& c, SendQueue& q, const Segment& segment, Arrival& arrival);

    // rack.cc and loss_probe.cc
    std::uint32_t detect_losses(Connection& c, SendQueue& q);
    void retransmission_lost(Connection& c, SendQueue& q, unsigned count);
    void reorder_timeout(Handle h);
    bool may_probe(const Connection& c) const;
    bool may_probe_recovery(const Connection& c) const;
    std::uint32_t probe_timeout(const Connection& c) const;
    void arm_loss_timer(Handle h);
    void put_off_probe(Handle h);
    void probe_tail(Handle h);
    void probe_recovery(Handle h);
    void probe_answered(Connection& c, const Segment& segment, const std::optional<SackBlock>& duplicate);

    // recovery.cc and duplicate_acks.cc
    std::uint32_t in_flight(const Connection& c) const;
    bool window_in_use(const Connection& c) const;
    void grow_window(Connection& c, SendQueue& q, const Arrival& arrival, std::uint32_t bytes, bool in_use);
    void reduce_window(Connection& c, bool timeout);
    void enter_recovery(Handle h, SendQueue& q);
    void recover_step(Handle h, SendQueue& q, std::uint32_t delivered, bool safe);
    void leave_recovery(Connection& c, SendQueue& q);
    void undo_reduction(Handle h, SendQueue& q);
    void undo_if_original_arrived(Handle h, SendQueue& q, const Segment& segment);
    void retransmission_timeout(Handle h);
    void mark_losses_on_timeout(Connection& c, SendQueue& q);
    void duplicate_ack(Handle h);
    bool recovery_ack(Handle h, std::uint32_t bytes);
    void retransmit_first(Handle h);

    // path_mtu.cc
    std::uint16_t packet_overhead(const Connection& c) const;
    void use_known_path(Handle h);
    void learn_path(Handle h, std::uint16_t mss);
    void send_smaller(Handle h, std::uint16_t mss, std::uint32_t raise_after);
    bool too_large_timed_out(Handle h);
    void try_larger(Handle h);
    void note_probe(Handle h, Seq end, std::uint32_t length);
    void larger_passed(Handle h);

    // keep_alive.cc
    void start_keep_alive(Handle h);
    void wait_silently(Handle h, std::uint32_t ms);
    void keep_alive(Handle h);
    void give_up(Handle h, Counter& why);
    std::uint32_t user_timeout(Handle h) const;
    void learn_user_timeout(Handle h, std::uint32_t seconds);
    bool unanswered_too_long(Handle h, std::uint8_t most_retries);
    bool stalled_too_long(Handle h);
    void enter_fin_wait_2(Handle h);
    void fin_wait_2_timeout(Handle h);

    // receive.cc
    bool may_keep(const rte_mbuf* packet);
    void receive_text(Handle h, Segment& segment);
    void hold(Handle h, Segment& segment, std::uint32_t cut);
    bool hold_text(Reassembly& r, Segment& segment, Seq rcv_nxt, std::uint32_t cut);
    void deliver_held(Handle h);
    void push_received(Handle h, rte_mbuf* packet);
    void receive_fin(Handle h);
    void acknowledge_text(Handle h);

    // window_tuning.cc
    std::uint32_t first_window() const;
    std::uint32_t window_limit(const Connection& c) const;
    std::uint32_t window_step(const Connection& c) const;
    Seq window_edge(const Connection& c) const;
    std::uint16_t advertise(Connection& c);
    void tune_window(Handle h);
    void grow_window(ReceiveWindow& window, std::uint32_t wanted);
    void shrink_window(ReceiveWindow& window);

    // sack.cc
    SackBlock old_bytes(const Connection& c, const Segment& segment) const;
    void send_ack(Handle h, SackBlock duplicate);
    std::uint16_t write_sack_blocks(const Connection& c, std::uint8_t* at, SackBlock duplicate) const;

    // close.cc and time_wait.cc
    void withdraw(Handle h);
    bool fin_acked(Handle h);
    void enter_time_wait(Handle h);
    void leave_time_wait(Handle h);
    void append_time_wait(Handle h);
    void unlink_time_wait(Handle h);
    void time_wait_input(Handle h, Segment& segment);
    void expire_time_wait();
    bool time_wait_may_be_reused(const Connection& c, const Segment& segment) const;
    bool time_wait_may_be_reopened(const Connection& c) const;

    // reset.cc
    void reset_arrives(Handle h);
    void answer_with_reset(const Segment& segment, SocketAddress remote, SocketAddress local);
    void challenge(Handle h);

    // output.cc
    enum class Emitted { kAll, kNoRoom };
    void mark_dirty(Handle h);
    Emitted emit(Handle h);
    Emitted emit_data(Handle h);
    void tidy_send_queue(Connection& c);
    bool transmit(Handle h, rte_mbuf* unit, std::uint16_t from, std::uint16_t length);
    bool send_new(Handle h, SendQueue& q, std::uint16_t from, std::uint16_t length);
    bool retransmit(Handle h, rte_mbuf* unit);
    bool send_one_more(Handle h, SendQueue& q);
    Emitted retry_later(Handle h);
    rte_mbuf* frame_unit(Connection& c, rte_mbuf* unit, std::uint16_t from, std::uint16_t length);
    bool send_bare(Handle h, std::uint8_t flags, Seq seq, SackBlock duplicate = {});
    void send_syn(Handle h);
    void push_syn(SocketAddress remote, SocketAddress local, std::uint8_t flags, Seq seq, Seq ack,
                  const Options& options);
    void send_fin(Handle h);
    void fin_sent(Connection& c);
    void timed_send(Handle h);
    bool window_admits(const Connection& c, std::uint32_t& length) const;
    std::uint16_t header_bytes(const Connection& c) const;
    std::uint16_t syn_window() const;
    void write_header(Connection& c, rte_mbuf* packet, std::uint8_t flags, Seq seq);
    rte_mbuf* header_mbuf();
    void push_segment(rte_mbuf* packet, const Connection& c, std::uint16_t header_bytes);

    // timers.cc
    std::uint32_t rto(const Connection& c) const;
    void arm_rexmit(Handle h, std::uint32_t after);
    void arm_persist(Handle h);
    void persist_anew(Handle h);
    void arm_ack_timer(Handle h);
    void ensure_timer(Handle h, std::uint32_t at);
    void timer_fired(Handle h, Duration late);
    void persist_timeout(Handle h);
    void handshake_timeout(Handle h);
    void deliver_resumed();

    // send.cc
    bool may_append(const Connection& c) const;
    SendQueue* queue_to_append(Handle h);
    bool may_take(PoolBudget& budget, std::size_t mbufs);
    void refuse_for_want_of_mbufs(Handle h);
    void wake_writer(Handle h);
    bool add_spares(SendQueue& q, std::size_t count);
    bool append_references(Handle h, SendQueue& q, const Shared& shared, unsigned units);
    bool append_copy(ConnId id, const Shared& shared);

    void push_event(Handle h, EventKind kind, CloseReason reason = CloseReason::kNone,
                    rte_mbuf* packet = nullptr);
    void mark_ready(Handle h);
    std::size_t event_room() const { return kMaxEvents - event_count_; }

    static constexpr std::size_t kMaxEvents = 2048;
    // Kept free for what the segments of a burst bring by themselves, when queued data are delivered.
    static constexpr std::size_t kEventReserve = 512;
    static constexpr std::size_t kMostPerSegment = 8;

    Config config_;
    rte_mempool* data_pool_;
    rte_mempool* header_pool_;
    const net::Rss* rss_;
    unsigned shard_;
    std::uint16_t local_mss_;  // see local_mss()
    std::uint16_t local_mss_v6_;
    std::uint16_t shared_unit_;  // bytes of shared data that every connection can send as one segment
    std::uint8_t receive_scale_;
    std::uint32_t delayed_ack_us_;
    std::uint32_t min_rto_us_;
    std::uint32_t most_held_each_;  // mbufs in one connection's reassembly
    std::uint32_t most_held_;       // and in all of them

    Time now_{};
    std::uint32_t now_us_ = 0;
    std::uint32_t now_ms_ = 0;
    std::uint16_t now_hours_ = 0;

    ConnectionSlab slab_;
    ReservedArray<Extra> extras_;
    ConnectionTable table_;
    ReservedArray<AddressPair> address_pairs_;  // of IPv6's
    BlockPool<SendQueue> send_queues_;
    BlockPool<Reassembly> reassemblies_;
    net::Wheel wheel_;
    PathMtuCache known_paths_;
    std::uint32_t held_ = 0;
    std::size_t half_open_ = 0;
    std::optional<Time> last_cookie_at_;
    std::uint64_t windows_grown_ = 0;  // bytes, all connections

    std::vector<Listener> listeners_;
    std::vector<AddressRange> local_;
    std::uint64_t next_tuple_ = 0;
    // Local ends for connections to `remote`; the one that is proposed is the next to be tried.
    struct LocalChoice {
        SocketAddress remote{};
        std::uint64_t offset = 0;
        std::uint64_t tuples = 0;  // addresses times ports
        SocketAddress local{};
        std::uint32_t hash = 0;
        bool proposed = false;
    };
    LocalChoice choice_;

    std::uint32_t oldest_time_wait_ = kNoBlock;
    std::uint32_t newest_time_wait_ = kNoBlock;
    std::size_t time_wait_count_ = 0;
    std::size_t time_waits_this_poll_ = 0;  // the newest so many came, or came back, in this poll

    // Rings of slots, each slot in them at most once: to be emitted by flush(), to be delivered by
    // run_timers().
    SlotRing dirty_;
    SlotRing ready_;
    TxSegments tx_;
    std::unique_ptr<Event[]> events_;
    std::size_t event_count_ = 0;
    std::size_t events_handed_out_ = 0;
    bool under_pressure_ = false;
    Time pool_seen_at_{};
    PoolBudget data_budget_;
    PoolBudget header_budget_;
    ReceiveBudget receive_budget_;
    Time receive_pools_seen_at_{};
    Counters counters_;
};

}  // namespace millrace::tcp
