#include "netstack/port/cable.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <deque>
#include <map>
#include <numeric>
#include <set>

#include "netstack/port/flow.h"
#include "netstack/port/mbuf.h"
#include "tests/unit/port/frames.h"

namespace millrace::net {
namespace {

using test::Octets;

std::unique_ptr<Cable> make(const CableOptions& options) {
    auto cable = Cable::create(options);
    EXPECT_TRUE(cable) << (cable ? "" : cable.error().message);
    return cable ? std::move(*cable) : nullptr;
}

unsigned send_one(PortQueue& queue, rte_mbuf* frame) {
    return queue.transmit({&frame, 1});
}

std::vector<Octets> drain(PortQueue& queue) {
    std::vector<Octets> frames;
    std::array<rte_mbuf*, 64> burst;
    while (const unsigned n = queue.receive(burst))
        for (unsigned i = 0; i < n; ++i) {
            frames.push_back(test::bytes_of(burst[i]));
            release(burst[i]);
        }
    return frames;
}

Octets frame_of_flow(std::uint16_t source_port, const Octets& payload = {}) {
    return test::tcp_frame({test::kPeerIp, source_port}, {test::kOurIp, 80}, payload);
}

TEST(Cable, CarriesFramesAndChainsBothWays) {
    test::TestPool pool;
    auto cable = make({});
    ASSERT_TRUE(cable);
    Octets long_frame(1514);
    for (std::size_t i = 0; i < long_frame.size(); ++i)
        long_frame[i] = static_cast<std::uint8_t>(i * 7);
    for (auto [from, to] : {std::pair{&cable->a(), &cable->b()}, {&cable->b(), &cable->a()}}) {
        EXPECT_EQ(send_one(from->queue(0), pool.mbuf(frame_of_flow(1))), 1u);
        EXPECT_EQ(send_one(from->queue(0), pool.chain(long_frame, 100)), 1u);
        EXPECT_EQ(pool.in_use(), 0u) << "the sender's mbufs are released at once";
        const auto got = drain(to->queue(0));
        ASSERT_EQ(got.size(), 2u);
        EXPECT_EQ(got[0], frame_of_flow(1));
        EXPECT_EQ(got[1], long_frame);
    }
}

// A TCP keeps what it sent for retransmission; the receiver unmasks in place.
TEST(Cable, TheReceiverOwnsACopy) {
    test::TestPool pool;
    auto cable = make({});
    ASSERT_TRUE(cable);
    rte_mbuf* kept = pool.mbuf(frame_of_flow(1, test::text("keep")));
    add_reference(kept);
    ASSERT_EQ(send_one(cable->a().queue(0), kept), 1u);
    EXPECT_EQ(rte_mbuf_refcnt_read(kept), 1);
    rte_mbuf* got = nullptr;
    ASSERT_EQ(cable->b().queue(0).receive({&got, 1}), 1u);
    EXPECT_NE(got->buf_addr, kept->buf_addr);
    EXPECT_EQ(got->port, cable->b().id());
    std::memset(rte_pktmbuf_mtod(got, void*), 0, got->data_len);
    EXPECT_EQ(test::bytes_of(kept), frame_of_flow(1, test::text("keep")));
    release(got);
    release(kept);
}

TEST(Cable, LosesNothingWhenItsRingsAreFull) {
    test::TestPool pool(2048);
    auto cable = make({.slots = 64, .mbufs = 512});
    ASSERT_TRUE(cable);
    std::deque<rte_mbuf*> waiting;
    std::uint16_t next = 0;
    std::vector<Octets> got;
    bool was_full = false;
    while (got.size() < 1000) {
        while (next < 1000 && waiting.size() < 300)
            waiting.push_back(pool.mbuf(frame_of_flow(next++)));
        std::vector<rte_mbuf*> burst(waiting.begin(), waiting.end());
        const unsigned sent = cable->a().queue(0).transmit(burst);
        was_full = was_full || sent < burst.size();
        waiting.erase(waiting.begin(), waiting.begin() + sent);
        for (auto& frame : drain(cable->b().queue(0)))
            got.push_back(std::move(frame));
    }
    EXPECT_TRUE(was_full);
    for (std::uint16_t i = 0; i < 1000; ++i)
        ASSERT_EQ(got[i], frame_of_flow(i)) << "in order";
}

TEST(Cable, ADryWirePoolIsAFullQueue) {
    test::TestPool pool(1024);
    auto cable = make({.slots = 256, .mbufs = 300});
    ASSERT_TRUE(cable);
    std::vector<rte_mbuf*> kept;  // the receiver keeps what it gets, as a reassembly queue would
    std::array<rte_mbuf*, 64> burst;
    for (int round = 0; round < 1000; ++round) {
        rte_mbuf* frame = pool.mbuf(frame_of_flow(1));
        if (send_one(cable->a().queue(0), frame) == 0) {
            release(frame);
            break;
        }
        const unsigned n = cable->b().queue(0).receive(burst);
        kept.insert(kept.end(), burst.begin(), burst.begin() + n);
    }
    EXPECT_EQ(kept.size(), 300u) << "every mbuf of the wire was used";
    for (rte_mbuf* m : kept)
        release(m);
    // Given back, they carry again. (What lies in the receiver's cache comes back with the next ones.)
    unsigned sent = 0;
    for (int i = 0; i < 10; ++i) {
        rte_mbuf* frame = pool.mbuf(frame_of_flow(2));
        if (send_one(cable->a().queue(0), frame) == 1)
            ++sent;
        else
            release(frame);
    }
    EXPECT_EQ(sent, 10u);
    EXPECT_EQ(drain(cable->b().queue(0)).size(), 10u);
}

void expect_flows_stay_with_their_shard(unsigned shards_a, unsigned shards_b) {
    test::TestPool pool(256);
    auto cable = make({.shards_a = shards_a, .shards_b = shards_b, .slots = 256, .mbufs = 1024});
    ASSERT_TRUE(cable);
    const Rss& rss = cable->b().rss();
    EXPECT_EQ(rss.queues(), shards_b);
    std::map<unsigned, unsigned> frames_at;
    for (std::uint16_t port = 1000; port < 1200; ++port) {
        const unsigned sender = port % shards_a;
        ASSERT_EQ(send_one(cable->a().queue(sender), pool.mbuf(frame_of_flow(port))), 1u);
        const unsigned expected = rss.queue_of({test::kPeerIp, port}, {test::kOurIp, 80});
        for (unsigned shard = 0; shard < shards_b; ++shard) {
            const auto got = drain(cable->b().queue(shard));
            ASSERT_EQ(got.size(), shard == expected ? 1u : 0u) << port;
            frames_at[shard] += static_cast<unsigned>(got.size());
        }
        for (unsigned shard = 0; shard < shards_a; ++shard)
            ASSERT_TRUE(drain(cable->a().queue(shard)).empty());
    }
    EXPECT_EQ(frames_at.size(), shards_b);
    for (const auto& [shard, frames] : frames_at)
        EXPECT_GT(frames, 200 / shards_b / 2) << shard;
}

TEST(Cable, AFlowIsSeenByOneShard2x2) {
    expect_flows_stay_with_their_shard(2, 2);
}
TEST(Cable, AFlowIsSeenByOneShard4x1) {
    expect_flows_stay_with_their_shard(4, 1);
}
TEST(Cable, AFlowIsSeenByOneShard1x4) {
    expect_flows_stay_with_their_shard(1, 4);
}

// More queues than one device of DPDK's ring driver has.
TEST(Cable, AFlowIsSeenByOneShard8x8) {
    expect_flows_stay_with_their_shard(8, 8);
}
TEST(Cable, AFlowIsSeenByOneShard5x7) {
    expect_flows_stay_with_their_shard(5, 7);
}

TEST(Cable, OneDeviceForAsManyQueuesAsItHas) {
    const unsigned before = rte_eth_dev_count_avail();
    {
        auto cable = make({.shards_a = 4, .shards_b = 4, .slots = 64, .mbufs = 128});
        EXPECT_EQ(rte_eth_dev_count_avail(), before + 2);
    }
    EXPECT_EQ(rte_eth_dev_count_avail(), before);
    {
        auto cable = make({.shards_a = 8, .shards_b = 4, .slots = 64, .mbufs = 128});
        EXPECT_EQ(rte_eth_dev_count_avail(), before + 4);
        test::TestPool pool;
        for (unsigned shard = 0; shard < 8; ++shard)
            EXPECT_EQ(send_one(cable->a().queue(shard), pool.mbuf(frame_of_flow(1))), 1u);
        EXPECT_EQ(cable->a().stats().sent, 8u) << "of all its devices";
    }
    EXPECT_EQ(rte_eth_dev_count_avail(), before);
}

TEST(Cable, FramesWithoutAFlowGoToShardZero) {
    test::TestPool pool;
    auto cable = make({.shards_b = 3, .slots = 64, .mbufs = 256});
    ASSERT_TRUE(cable);
    const Octets arp = test::ethernet(kBroadcast, test::kPeerMac, 0x0806,
                                      test::arp(1, test::kPeerMac, test::kPeerIp, {}, test::kOurIp));
    ASSERT_EQ(send_one(cable->a().queue(0), pool.mbuf(arp)), 1u);
    EXPECT_EQ(drain(cable->b().queue(0)).size(), 1u);
}

TEST(Cable, AFrameThatCannotFitIsLostNotStuck) {
    test::TestPool pool;
    auto cable = make({.mtu = 600});
    ASSERT_TRUE(cable);
    EXPECT_EQ(send_one(cable->a().queue(0), pool.mbuf(Octets(1400, 1))), 1u);
    EXPECT_EQ(send_one(cable->a().queue(0), pool.mbuf(Octets(600, 2))), 1u);
    const auto got = drain(cable->b().queue(0));
    ASSERT_EQ(got.size(), 1u);
    EXPECT_EQ(got[0], Octets(600, 2));
    EXPECT_EQ(cable->a().stats().send_errors, 1u);
}

TEST(Cable, ClaimsChecksumOffloadOnlyWhenAsked) {
    test::TestPool pool;
    for (const bool offload : {false, true}) {
        auto cable = make({.slots = 64, .mbufs = 256, .checksum_offload = offload});
        ASSERT_TRUE(cable);
        EXPECT_EQ(cable->a().offloads().transmit_tcp_checksum, offload);
        EXPECT_NE(cable->a().describe().find(offload ? "received: port" : "received: software"),
                  std::string::npos);
        ASSERT_EQ(send_one(cable->a().queue(0), pool.mbuf(frame_of_flow(1))), 1u);
        rte_mbuf* got = nullptr;
        ASSERT_EQ(cable->b().queue(0).receive({&got, 1}), 1u);
        EXPECT_EQ((got->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) == RTE_MBUF_F_RX_L4_CKSUM_GOOD, offload);
        release(got);
    }
}

TEST(Cable, TooManyShardsIsAnErrorWithARemedy) {
    for (const auto& [a, b] : {std::pair{17u, 1u}, {1u, 17u}, {1u, 0u}}) {
        const auto cable = Cable::create({.shards_a = a, .shards_b = b, .slots = 64, .mbufs = 128});
        ASSERT_FALSE(cable) << a << " and " << b;
        EXPECT_NE(cable.error().message.find("fewer cores"), std::string::npos);
    }
}

// What a cable with faults delivers of 2,000 numbered frames, sent one a turn.
std::vector<unsigned> deliver_with(const CableFaults& faults, Cable::FaultSums& sums) {
    test::TestPool pool;
    auto cable = make({.faults = faults});
    std::vector<unsigned> arrived;
    for (unsigned i = 0; i < 2100; ++i) {
        if (i < 2000) {
            Octets payload;
            test::put16(payload, i);
            EXPECT_EQ(send_one(cable->a().queue(0), pool.mbuf(frame_of_flow(1, payload))), 1u);
        } else {
            cable->a().queue(0).transmit({});  // the last held ones fall due
        }
        for (const Octets& frame : drain(cable->b().queue(0))) {
            if (frame == frame_of_flow(1, Octets(frame.end() - 2, frame.end())))
                arrived.push_back(frame[frame.size() - 2] * 256u + frame.back());
            else
                arrived.push_back(100000);  // damaged
        }
    }
    sums = cable->faults();
    return arrived;
}

TEST(CableFaults, EachFaultDoesWhatItSays) {
    Cable::FaultSums sums;
    std::vector<unsigned> in_order(2000);
    std::iota(in_order.begin(), in_order.end(), 0u);
    EXPECT_EQ(deliver_with({}, sums), in_order);

    auto got = deliver_with({.lose = 0.1}, sums);
    EXPECT_NEAR(static_cast<double>(sums.lost), 200, 60);
    EXPECT_EQ(got.size(), 2000 - sums.lost);
    EXPECT_TRUE(std::is_sorted(got.begin(), got.end()));

    got = deliver_with({.corrupt = 0.1}, sums);
    EXPECT_NEAR(static_cast<double>(sums.corrupted), 200, 60);
    EXPECT_EQ(got.size(), 2000u);
    EXPECT_EQ(static_cast<std::uint64_t>(std::count(got.begin(), got.end(), 100000u)), sums.corrupted);

    got = deliver_with({.duplicate = 0.1}, sums);
    EXPECT_NEAR(static_cast<double>(sums.duplicated), 200, 60);
    EXPECT_EQ(got.size(), 2000 + sums.duplicated);
    EXPECT_EQ((std::set<unsigned>(got.begin(), got.end()).size()), 2000u);

    for (const CableFaults& faults :
         {CableFaults{.reorder = 0.1}, CableFaults{.delay = 0.1, .delay_turns = 20}}) {
        got = deliver_with(faults, sums);
        EXPECT_NEAR(static_cast<double>(sums.reordered + sums.delayed), 200, 60);
        EXPECT_FALSE(std::is_sorted(got.begin(), got.end()));
        std::sort(got.begin(), got.end());
        EXPECT_EQ(got, in_order);
    }
}

TEST(CableFaults, ASeedReplaysExactly) {
    const CableFaults all{
        .seed = 7, .lose = 0.05, .corrupt = 0.05, .duplicate = 0.05, .reorder = 0.05, .delay = 0.05};
    CableFaults other = all;
    other.seed = 8;
    Cable::FaultSums sums;
    const auto first = deliver_with(all, sums);
    EXPECT_EQ(first, deliver_with(all, sums));
    EXPECT_NE(first, deliver_with(other, sums));
}

TEST(Cable, CanBeLaidManyTimes) {
    for (int i = 0; i < 40; ++i)
        ASSERT_TRUE(make({.slots = 64, .mbufs = 128})) << i;  // ethdev has 32 ports
}

}  // namespace
}  // namespace millrace::net
