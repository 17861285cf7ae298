#pragma once
// A server's TCP by itself. Its peers are made up: a burst of their segments is put into it as the layers
// below would, and what it sends is looked at and freed.

#include <rte_mbuf.h>
#include <rte_tcp.h>

#include <array>
#include <cstdint>
#include <memory>

#include "netstack/port/pools.h"
#include "netstack/tcp/tcp.h"

namespace millrace::bench {

struct SegmentBurst {
    static constexpr unsigned kMost = 32;
    std::array<rte_mbuf*, kMost> packets;
    std::array<net::SocketAddress, kMost> from;
    std::array<std::uint32_t, kMost> hashes;
};

class TcpServer {
  public:
    static constexpr net::SocketAddress kAddress{net::Ipv4{0x0a000001}, 9001};
    static constexpr std::uint16_t kMss = 1448;

    explicit TcpServer(const tcp::Config& config)
        : tcp_(*tcp::Tcp::create(config, data_.get(), headers_.get(), {{kAddress.ip, 1}}, rss_, 0)) {
        (void)tcp_->listen(kAddress);
    }

    tcp::Tcp& tcp() { return *tcp_; }
    Time now{1h};

    // With timestamps, as every segment has them; a SYN offers all the options.
    rte_mbuf* segment(net::SocketAddress from, std::uint8_t flags, std::uint32_t seq, std::uint32_t ack,
                      std::uint16_t payload) {
        rte_mbuf* packet = rte_pktmbuf_alloc(received_.get());
        auto* header = rte_pktmbuf_mtod(packet, rte_tcp_hdr*);
        auto* options = reinterpret_cast<std::uint8_t*>(header + 1);
        const auto clock = static_cast<std::uint32_t>(now.time_since_epoch() / 1ms);
        std::uint16_t bytes = tcp::kMinHeader;
        if (flags & tcp::kSyn) {
            bytes += tcp::write_syn_options(options, {.ts_value = clock,
                                                      .mss = kMss + tcp::kTimestampBytes,
                                                      .window_scale = 7,
                                                      .has_timestamps = true,
                                                      .has_window_scale = true,
                                                      .sack_permitted = true});
        } else {
            bytes += tcp::write_timestamps(options, clock, 0);
        }
        *header = {.src_port = rte_cpu_to_be_16(from.port),
                   .dst_port = rte_cpu_to_be_16(kAddress.port),
                   .sent_seq = rte_cpu_to_be_32(seq),
                   .recv_ack = rte_cpu_to_be_32(ack),
                   .data_off = static_cast<std::uint8_t>(bytes / 4 << 4),
                   .tcp_flags = flags,
                   .rx_win = 0xffff};
        packet->data_len = static_cast<std::uint16_t>(bytes + payload);
        packet->pkt_len = packet->data_len;
        return packet;
    }

    // What Stack::receive() does with a burst, in its two parts.
    void look_up(SegmentBurst& burst, unsigned n = SegmentBurst::kMost) {
        for (unsigned i = 0; i < n; ++i) {
            burst.hashes[i] = tcp_->flow_hash(burst.packets[i], burst.from[i].ip, kAddress.ip);
            tcp_->prefetch_table(burst.hashes[i]);
        }
        for (unsigned i = 0; i < n; ++i)
            tcp_->prefetch_connection(burst.hashes[i]);
    }
    void input(const SegmentBurst& burst, unsigned n = SegmentBurst::kMost) {
        for (unsigned i = 0; i < n; ++i)
            tcp_->input(burst.packets[i], burst.from[i].ip, kAddress.ip, burst.hashes[i], now);
    }
    // The rest of a poll; `sent(const rte_tcp_hdr&)` is called for each segment that leaves.
    template <class Sent>
    void flush(Sent&& sent) {
        tcp_->run_timers(now);
        (void)tcp_->events();
        for (bool more = true; more;) {
            more = tcp_->flush(now);
            for (const tcp::TxSegment& segment : tcp_->segments()) {
                sent(*rte_pktmbuf_mtod(segment.packet, const rte_tcp_hdr*));
                rte_pktmbuf_free(segment.packet);
            }
            tcp_->clear_segments();
        }
    }
    void flush() {
        flush([](const rte_tcp_hdr&) {});
    }

    // A whole handshake; the server's first sequence number and its connection.
    struct Opened {
        std::uint32_t isn;
        net::ConnId conn;
    };
    Opened open(net::SocketAddress from, std::uint32_t isn) {
        Opened opened{0, net::kNoConn};
        take(from, segment(from, tcp::kSyn, isn, 0, 0));
        flush([&](const rte_tcp_hdr& answer) { opened.isn = rte_be_to_cpu_32(answer.sent_seq); });
        take(from, segment(from, tcp::kAck, isn + 1, opened.isn + 1, 0));
        for (const tcp::Event& event : tcp_->events())
            if (event.kind == net::EventKind::kAccepted) opened.conn = event.conn;
        flush();
        return opened;
    }

  private:
    void take(net::SocketAddress from, rte_mbuf* packet) {
        SegmentBurst burst;
        burst.packets[0] = packet;
        burst.from[0] = from;
        tcp_->begin_poll();
        look_up(burst, 1);
        input(burst, 1);
    }

    static net::Pool pool(const char* purpose, std::uint16_t room) {
        return *net::Pool::create(
            {.purpose = purpose, .mbufs = 8192, .data_room = room, .private_bytes = tcp::kTxPrivateBytes});
    }

    net::Rss rss_{1};
    net::Pool data_ = pool("micro-data", net::kDataRoom);
    net::Pool headers_ = pool("micro-head", tcp::Tcp::kHeaderPoolRoom);
    net::Pool received_ = pool("micro-rx", net::kDataRoom);
    std::unique_ptr<tcp::Tcp> tcp_;
};

}  // namespace millrace::bench
