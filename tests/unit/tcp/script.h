#pragma once
// Packet scripts: a Tcp in virtual time, a peer made of single segments, and what came of each step.
//
// Sequence numbers are written relative to the two ISNs, so that the first byte of either stream is 1:
//
//     Script s;
//     ConnId c = s.accept();
//     s.arrive({.seq = 1, .ack = 1, .data = "ping"});
//     EXPECT_EQ(s.received(), "ping");

#include <deque>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "netstack/tcp/tcp.h"
#include "tests/sim/invariants.h"
#include "tests/unit/tcp/pools.h"
#include "tests/unit/tcp/software_nic.h"

namespace millrace::tcp::test {

inline constexpr SocketAddress kLocal{net::Ipv4{0x0a000001}, 80};
inline constexpr SocketAddress kRemote{net::Ipv4{0x0a000002}, 40000};

// A segment, either way. Defaults are those of the usual data segment.
struct Seg {
    std::uint8_t flags = kAck;
    std::uint32_t seq = 1;
    std::uint32_t ack = 1;
    std::uint16_t window = 65535;
    std::string data{};
    Options options{};
    SocketAddress from = kRemote;
    SocketAddress to = kLocal;
};

struct Happened {
    ConnId conn;
    EventKind kind;
    CloseReason reason;
    std::string bytes;
};

// What the peer's SYN says.
struct Peer {
    bool timestamps = false;
    bool sack = false;
    int window_scale = -1;
    std::uint16_t mss = 1460;
    std::uint16_t window = 65535;
    std::uint32_t isn = 1000;
};

class Script {
  public:
    explicit Script(Config config = defaults(), unsigned data_mbufs = 4095, unsigned header_mbufs = 4095,
                    std::vector<AddressRange> local = {{kLocal.ip, 4}})
        : pools(data_mbufs, header_mbufs) {
        now = Time{1h};
        auto made = Tcp::create(config, pools.data(), pools.header(), std::move(local), rss, 0);
        EXPECT_TRUE(made.has_value()) << (made ? "" : made.error().message);
        tcp = std::move(*made);
        EXPECT_TRUE(tcp->listen({net::Ipv4{}, kLocal.port}).has_value());
        inspector.emplace(*tcp);
    }
    ~Script() {
        release_held();
        tcp.reset();
    }

    static Config defaults() {
        Config config;
        config.max_connections = 64;
        config.max_half_open = 8;
        config.delayed_ack = 40ms;
        config.secret = {0x0123456789abcdef, 0xfedcba9876543210};
        return config;
    }

    // --- one poll with these segments arriving ---
    void arrive(const std::vector<Seg>& burst) {
        tcp->begin_poll();
        for (const Seg& segment : burst)
            input(segment);
        finish_poll();
    }
    void arrive(const Seg& segment) { arrive(std::vector<Seg>{segment}); }
    void poll() { arrive(std::vector<Seg>{}); }
    // Time passes; one poll at its end.
    void advance(Duration by) {
        now += by;
        poll();
    }
    // Time passes; a poll whenever something is due.
    void run(Duration by) {
        const Time end = now + by;
        for (int polls = 0; polls < 100000; ++polls) {
            const Time next = tcp->next_timer();
            if (next > end) break;
            now = std::max(now, next) + 1us;
            poll();
        }
        now = std::max(now, end);
        poll();
    }
    // What the engine asked for outside a poll leaves.
    void flush() {
        bool more = true;
        while (more) {
            more = tcp->flush(now);
            for (const TxSegment& s : tcp->segments())
                take(s);
            tcp->clear_segments();
        }
        EXPECT_EQ(inspector->check(), "");
    }

    // --- what came of it ---
    Seg next() {
        if (out.empty()) {
            ADD_FAILURE() << "no segment was sent";
            return {};
        }
        Seg first = out.front();
        out.pop_front();
        return first;
    }
    bool quiet() const { return out.empty(); }
    Happened event() {
        if (events.empty()) {
            ADD_FAILURE() << "no event";
            return {};
        }
        Happened first = events.front();
        events.pop_front();
        return first;
    }
    // All received bytes so far, taking the events.
    std::string received() {
        std::string bytes;
        while (!events.empty() && events.front().kind == EventKind::kReceived)
            bytes += event().bytes;
        return bytes;
    }

    // --- the usual beginnings ---
    Seg syn(const Peer& peer = {}) {
        Options options;
        options.mss = peer.mss;
        options.has_window_scale = peer.window_scale >= 0;
        options.window_scale = static_cast<std::uint8_t>(std::max(peer.window_scale, 0));
        options.has_timestamps = peer.timestamps;
        options.ts_value = peer_clock;
        options.sack_permitted = peer.sack;
        return {.flags = kSyn, .seq = 0, .ack = 0, .window = peer.window, .options = options};
    }
    ConnId accept(const Peer& peer = {}) {
        peer_isn = peer.isn;
        timestamps = peer.timestamps;
        arrive(syn(peer));
        const Seg answer = next();
        EXPECT_EQ(answer.flags, kSyn | kAck);
        EXPECT_EQ(answer.ack, 1u);
        arrive({.seq = 1, .ack = 1, .window = peer.window});
        const Happened accepted = event();
        EXPECT_EQ(accepted.kind, EventKind::kAccepted);
        EXPECT_TRUE(quiet());
        return accepted.conn;
    }
    // An ACK that reports blocks, which begin and end at these relative sequence numbers of ours.
    static Seg sack(std::uint32_t ack,
                    std::initializer_list<std::pair<std::uint32_t, std::uint32_t>> blocks) {
        Seg segment{.seq = 1, .ack = ack};
        for (auto [from, to] : blocks)
            segment.options.sack[segment.options.sack_count++] = {Seq{from}, Seq{to}};
        return segment;
    }
    // The blocks of a segment of ours, relative to the peer's ISN.
    static std::vector<std::pair<std::uint32_t, std::uint32_t>> blocks(const Seg& segment) {
        std::vector<std::pair<std::uint32_t, std::uint32_t>> all;
        for (const SackBlock& block : segment.options.sack_blocks())
            all.push_back({block.from.value, block.to.value});
        return all;
    }
    // connect() to peer_end; the script then speaks for it with our chosen address as its receiver.
    ConnId connect(const Peer& peer = {}) {
        const ConnId conn = start_connect(peer);
        Seg answer = syn(peer);
        answer.flags = kSyn | kAck;
        answer.ack = 1;
        arrive(answer);
        EXPECT_EQ(event().kind, EventKind::kConnected);
        const Seg ack = next();
        EXPECT_EQ(ack.flags, kAck);
        EXPECT_EQ(ack.seq, 1u);
        EXPECT_EQ(ack.ack, 1u);
        return conn;
    }
    ConnId start_connect(const Peer& peer = {}) {
        peer_isn = peer.isn;
        timestamps = peer.timestamps;
        const ConnId conn = tcp->connect(peer_end, now);
        EXPECT_NE(conn, net::kNoConn);
        our_end = tcp->local(conn);
        flush();
        const Seg syn = next();
        EXPECT_EQ(syn.flags, kSyn);
        EXPECT_EQ(syn.seq, 0u);
        return conn;
    }

    // Appends by copy, all of it.
    bool append(ConnId conn, std::string_view bytes) {
        if (!tcp->prepare(conn, bytes.size())) return false;
        while (!bytes.empty()) {
            auto room = tcp->room(conn);
            const std::size_t part = std::min(room.size(), bytes.size());
            EXPECT_GT(part, 0u);
            if (part == 0) return false;
            std::memcpy(room.data(), bytes.data(), part);
            tcp->commit(conn, part);
            bytes.remove_prefix(part);
        }
        return true;
    }
    // Appends and flushes.
    void say(ConnId conn, std::string_view bytes) {
        EXPECT_TRUE(append(conn, bytes));
        flush();
    }

    // Everything of every connection is gone.
    void expect_empty() {
        EXPECT_EQ(tcp->connections(), 0u);
        EXPECT_EQ(tcp->in_time_wait(), 0u);
        EXPECT_EQ(tcp->half_open(), 0u);
        EXPECT_EQ(tcp->table_size(), 0u);
        EXPECT_EQ(tcp->timers_armed(), 0u);
        EXPECT_EQ(tcp->send_queues(), 0u);
        EXPECT_EQ(tcp->reassemblies(), 0u);
        EXPECT_EQ(pools.missing(), 0u);
    }

    void release_held() {
        for (rte_mbuf* packet : held)
            rte_pktmbuf_free(packet);
        held.clear();
    }

    std::uint64_t count(Counter Counters::*counter) const { return (tcp->counters().*counter).value(); }

    Pools pools;
    net::Rss rss{1};
    std::unique_ptr<Tcp> tcp;
    std::optional<Inspector> inspector;
    Time now;
    std::deque<Seg> out;
    std::deque<Happened> events;
    std::uint32_t peer_isn = 1000;
    std::uint32_t our_isn = 0;
    std::uint32_t peer_clock = 5000;  // the peer's timestamp clock; put on its segments when `timestamps`
    bool timestamps = false;
    bool port_is_slow = false;  // sent mbufs stay with the port until release_held()
    std::vector<rte_mbuf*> held;
    std::vector<unsigned> packets;   // that left, by the number of their segments (large sends have several)
    SocketAddress our_end = kLocal;  // where the script's segments go by default
    SocketAddress peer_end = kRemote;  // and come from

    void input(const Seg& s) {
        rte_mbuf* packet = build(s);
        const IpAddress to = destination(s).ip;
        const IpAddress from = source(s).ip;
        tcp->input(packet, from, to, tcp->flow_hash(packet, from, to), now);
    }

    rte_mbuf* build(const Seg& s) {
        rte_mbuf* packet = rte_pktmbuf_alloc(pools.data());
        EXPECT_NE(packet, nullptr);
        auto* header = rte_pktmbuf_mtod(packet, rte_tcp_hdr*);
        auto* options = reinterpret_cast<std::uint8_t*>(header + 1);
        Options with = s.options;
        std::uint16_t bytes = kMinHeader;
        if (s.flags & kSyn) {
            bytes += write_syn_options(options, with);
        } else if (with.has_timestamps) {
            bytes += write_timestamps(options, with.ts_value, with.ts_echo);
        } else if (timestamps) {
            bytes += write_timestamps(options, peer_clock, last_ts_value);
        }
        for (SackBlock& block : with.sack)
            block = {block.from + our_isn, block.to + our_isn};
        bytes += write_sack(options + bytes - kMinHeader, with.sack_blocks());
        *header = {.src_port = rte_cpu_to_be_16(source(s).port),
                   .dst_port = rte_cpu_to_be_16(destination(s).port),
                   .sent_seq = rte_cpu_to_be_32(peer_isn + s.seq),
                   .recv_ack = rte_cpu_to_be_32(our_isn + s.ack),
                   .data_off = static_cast<std::uint8_t>(bytes / 4 << 4),
                   .tcp_flags = s.flags,
                   .rx_win = rte_cpu_to_be_16(s.window)};
        std::memcpy(reinterpret_cast<char*>(header) + bytes, s.data.data(), s.data.size());
        packet->data_len = static_cast<std::uint16_t>(bytes + s.data.size());
        packet->pkt_len = packet->data_len;
        return packet;
    }

  private:
    SocketAddress source(const Seg& s) const { return s.from == kRemote ? peer_end : s.from; }
    SocketAddress destination(const Seg& s) const { return s.to == kLocal ? our_end : s.to; }

    void finish_poll() {
        tcp->run_timers(now);
        for (Event& e : tcp->events()) {
            const auto bytes = e.bytes.bytes();
            events.push_back(
                {e.conn, e.kind, e.reason, {reinterpret_cast<const char*>(bytes.data()), bytes.size()}});
        }
        flush();
    }

    void take(const TxSegment& sent) {
        EXPECT_GE(rte_pktmbuf_headroom(sent.packet), net::kLinkHeadroom);
        const std::vector<std::string> segments = on_the_wire(sent.packet, sent.header_bytes);
        packets.push_back(static_cast<unsigned>(segments.size()));
        for (const std::string& segment : segments)
            take(sent, segment);
        // The layers below write in front and change the mbuf's offset and length.
        rte_pktmbuf_prepend(sent.packet, 34);
        sent.packet->ol_flags |= RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_TCP_CKSUM;
        if (port_is_slow) {
            held.push_back(sent.packet);
        } else {
            rte_pktmbuf_free(sent.packet);
        }
    }

    void take(const TxSegment& sent, const std::string& all) {
        Seg s;
        rte_tcp_hdr header;
        std::memcpy(&header, all.data(), sizeof header);
        const std::uint16_t bytes = (header.data_off >> 4) * 4;
        EXPECT_EQ(bytes, sent.header_bytes);
        EXPECT_EQ(header.cksum, 0);
        s.flags = header.tcp_flags;
        s.from = {sent.source, rte_be_to_cpu_16(header.src_port)};
        s.to = {sent.destination, rte_be_to_cpu_16(header.dst_port)};
        if (s.flags & kSyn) our_isn = rte_be_to_cpu_32(header.sent_seq);
        s.seq = rte_be_to_cpu_32(header.sent_seq) - our_isn;
        s.ack = rte_be_to_cpu_32(header.recv_ack) - peer_isn;
        s.window = rte_be_to_cpu_16(header.rx_win);
        const auto* options = reinterpret_cast<const std::uint8_t*>(all.data()) + kMinHeader;
        EXPECT_TRUE(parse_options({options, bytes - std::size_t{kMinHeader}}, s.options));
        if (s.options.has_timestamps) last_ts_value = s.options.ts_value;
        for (SackBlock& block : s.options.sack)
            block = {block.from - peer_isn, block.to - peer_isn};
        s.data = all.substr(bytes);
        out.push_back(s);
    }

    std::uint32_t last_ts_value = 0;
};

}  // namespace millrace::tcp::test
