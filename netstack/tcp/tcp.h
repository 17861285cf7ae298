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
//         for (const TxSegment& s : tcp.segments()) ip.send(s.packet, 6, s.header_bytes, s.source,
//         s.destination, now); tcp.clear_segments();                          // the references were taken
//         over by send()
//     } while (more);

#include <rte_mbuf.h>

#include <cstdint>
#include <memory>
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
#include "netstack/tcp/shared.h"
#include "netstack/tcp/tx_meta.h"
#include "netstack/tcp/tx_segments.h"

namespace millrace::tcp {

using net::CloseReason;
using net::ConnId;
using net::EventKind;
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
    void begin_poll();
    // `segment` begins with the TCP header and ends with the IP payload; its checksum has been verified.
    // Takes the mbuf over.
    std::uint64_t flow_hash(const rte_mbuf* segment, Ipv4 source, Ipv4 destination) const;
    void prefetch_table(std::uint64_t flow_hash) const;
    void prefetch_connection(std::uint64_t flow_hash) const;
    void input(rte_mbuf* segment, Ipv4 source, Ipv4 destination, std::uint64_t flow_hash, Time now);
    // ICMP or the neighbour table says that `remote` cannot be reached from `local`; `quoted` is the sequence
    // number in the ICMP message's quotation (RFC 5927 section 4.1), kNoQuote for the neighbour table.
    static constexpr std::uint64_t kNoQuote = ~std::uint64_t{0};
    void unreachable(SocketAddress local, SocketAddress remote, std::uint64_t quoted, Time now);
    void run_timers(Time now);
    std::span<Event> events();
    // Fills segments(). True when there was more to send than room: drain, clear and call again.
    bool flush(Time now);
    std::span<const TxSegment> segments() const;
    void clear_segments();
    // When run_timers() next has something to do (kNever: nothing armed); for simulations in virtual time.
    Time next_timer() const;

    // --- the carrier's connection operations (netstack/carrier.h) ---
    Expected<void> listen(SocketAddress address);  // 0.0.0.0 listens on every address
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
    bool under_pressure() const;
    std::size_t memory_in_use() const;  // bytes of tables and pools of state; mbufs not counted
    template <class Visitor>
    void visit_counters(Visitor&& visitor) const;
};

}  // namespace millrace::tcp
