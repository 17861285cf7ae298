#pragma once
// A Script as the sending end of a connection with SACK and a known round trip.

#include <utility>
#include <vector>

#include "tests/unit/tcp/payload.h"
#include "tests/unit/tcp/script.h"

namespace millrace::tcp::test {

inline constexpr Duration kRtt = 100ms;

// The first byte of segment `i`, counted from 0.
constexpr std::uint32_t at(std::uint32_t i) {
    return 1 + i * kMss;
}

class Sender : public Script {
  public:
    explicit Sender(Peer peer = {.sack = true}, Config config = defaults()) : Script(with_mtu(config, peer)) {
        if (peer.timestamps) peer.mss = kMss + kTimestampBytes;
        peer_isn = peer.isn;
        timestamps = peer.timestamps;
        arrive(syn(peer));
        EXPECT_EQ(next().options.sack_permitted, peer.sack);
        pass(kRtt);
        arrive({.seq = 1, .ack = 1, .window = peer.window});
        id = event().conn;
    }

    // Time passes for the peer's timestamp clock too. Nothing is polled.
    void pass(Duration by) {
        now += by;
        peer_clock += static_cast<std::uint32_t>(by / 1ms);
    }
    // `segments` more are appended; as many as the window admits leave.
    void send(std::uint32_t segments) { say(id, std::string(segments * kMss, 'd')); }
    // `segments` are in flight for one round trip, nothing of them is on its way back yet.
    void fly(std::uint32_t segments) {
        send(segments);
        EXPECT_EQ(out.size(), segments);
        out.clear();
        pass(kRtt);
    }
    // An ACK of all before segment `ack`, with blocks of segments [from, to).
    void ack(std::uint32_t segment,
             std::initializer_list<std::pair<std::uint32_t, std::uint32_t>> blocks = {}) {
        Seg s{.seq = 1, .ack = at(segment)};
        for (auto [from, to] : blocks)
            s.options.sack[s.options.sack_count++] = {Seq{at(from)}, Seq{at(to)}};
        arrive(s);
    }
    // The numbers of the segments that were sent since, in order.
    std::vector<std::uint32_t> sent() {
        std::vector<std::uint32_t> all;
        for (const Seg& s : out) {
            EXPECT_EQ((s.seq - 1) % kMss, 0u);
            EXPECT_EQ(s.data.size(), kMss);
            all.push_back((s.seq - 1) / kMss);
        }
        out.clear();
        return all;
    }

    const Connection& c() const { return tcp->connection(id); }
    SendQueue q() const { return *tcp->send_queue(id); }
    std::uint32_t cwnd() const { return c().congestion.cwnd; }
    std::uint32_t ssthresh() const { return c().congestion.ssthresh; }

    ConnId id;

  private:
    // Segments of kMss with timestamps and without.
    static Config with_mtu(Config config, const Peer& peer) {
        if (peer.timestamps) config.mtu += kTimestampBytes;
        return config;
    }
};

using Numbers = std::vector<std::uint32_t>;

}  // namespace millrace::tcp::test
