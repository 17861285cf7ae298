// The receiver's side of SACK: RFC 2018 (blocks) and RFC 2883 (duplicates).

#include "netstack/tcp/sack.h"

#include <random>
#include <set>

#include "tests/unit/tcp/script.h"

namespace millrace::tcp::test {
namespace {

using Blocks = std::vector<std::pair<std::uint32_t, std::uint32_t>>;

std::string bytes(std::size_t n) {
    return std::string(n, 'b');
}

// --- negotiation ---

TEST(TcpSack, IsOfferedInOurSyn) {  // RFC 2018 section 2
    Script s;
    s.tcp->connect(kRemote, s.now);
    s.flush();
    EXPECT_TRUE(s.next().options.sack_permitted);
}

TEST(TcpSack, IsAcceptedInOurSynAckOnlyWhenOffered) {
    for (const bool offered : {false, true}) {
        Script s;
        s.arrive(s.syn({.sack = offered}));
        EXPECT_EQ(s.next().options.sack_permitted, offered);
    }
}

TEST(TcpSack, IsNotUsedWhenThePeerDoesNotPermitIt) {  // RFC 2018 section 4
    Script s;
    s.accept();
    s.arrive({.seq = 11, .ack = 1, .data = bytes(10)});
    EXPECT_TRUE(s.next().options.sack_blocks().empty());
    s.arrive({.seq = 11, .ack = 1, .data = bytes(10)});
    EXPECT_TRUE(s.next().options.sack_blocks().empty());
    EXPECT_EQ(s.count(&Counters::dsack_out_of_order_sent), 0u);
}

TEST(TcpSack, IsUsedByTheEndThatConnected) {
    Script s;
    s.connect({.sack = true});
    s.arrive({.seq = 11, .ack = 1, .data = bytes(10)});
    EXPECT_EQ(s.blocks(s.next()), (Blocks{{11, 21}}));
}

TEST(TcpSack, MayBeTurnedOff) {
    Config config = Script::defaults();
    config.sack = false;
    Script s(config);
    s.arrive(s.syn({.sack = true}));
    EXPECT_FALSE(s.next().options.sack_permitted);
    s.tcp->connect(kRemote, s.now);
    s.flush();
    EXPECT_FALSE(s.next().options.sack_permitted);
}

// --- blocks (RFC 2018 section 4) ---

TEST(TcpSack, FirstBlockHoldsTheSegmentThatCausedTheAck) {
    Script s;
    s.accept({.sack = true});
    s.arrive({.seq = 101, .ack = 1, .data = bytes(50)});
    EXPECT_EQ(s.blocks(s.next()), (Blocks{{101, 151}}));
    s.arrive({.seq = 301, .ack = 1, .data = bytes(50)});
    EXPECT_EQ(s.blocks(s.next()), (Blocks{{301, 351}, {101, 151}}));
    s.arrive({.seq = 151, .ack = 1, .data = bytes(50)});
    const Seg ack = s.next();
    EXPECT_EQ(ack.ack, 1u);
    EXPECT_EQ(s.blocks(ack), (Blocks{{101, 201}, {301, 351}}));
}

TEST(TcpSack, ASegmentThatJoinsTwoBlocksMakesThemOne) {
    Script s;
    s.accept({.sack = true});
    for (const std::uint32_t seq : {101u, 301u, 501u})
        s.arrive({.seq = seq, .ack = 1, .data = bytes(100)});
    s.out.clear();
    s.arrive({.seq = 201, .ack = 1, .data = bytes(100)});
    EXPECT_EQ(s.blocks(s.next()), (Blocks{{101, 401}, {501, 601}}));
}

TEST(TcpSack, FourBlocksAtMostTheMostRecentOnes) {
    Script s;
    s.accept({.sack = true});
    for (std::uint32_t i = 1; i <= 6; ++i)
        s.arrive({.seq = 1 + 100 * i, .ack = 1, .data = bytes(50)});
    EXPECT_EQ(s.blocks(s.out.back()), (Blocks{{601, 651}, {501, 551}, {401, 451}, {301, 351}}));
}

TEST(TcpSack, ThreeBesideTimestamps) {  // RFC 2018 section 3, RFC 7323 appendix A
    Script s;
    s.accept({.timestamps = true, .sack = true});
    for (std::uint32_t i = 1; i <= 4; ++i)
        s.arrive({.seq = 1 + 100 * i, .ack = 1, .data = bytes(50)});
    EXPECT_TRUE(s.out.back().options.has_timestamps);
    EXPECT_EQ(s.blocks(s.out.back()), (Blocks{{401, 451}, {301, 351}, {201, 251}}));
}

TEST(TcpSack, WhatIsAcknowledgedIsNoLongerReported) {
    Script s;
    s.accept({.sack = true});
    s.arrive({.seq = 11, .ack = 1, .data = bytes(10)});
    s.arrive({.seq = 31, .ack = 1, .data = bytes(10)});
    s.out.clear();
    s.arrive({.seq = 1, .ack = 1, .data = bytes(10)});
    const Seg ack = s.next();
    EXPECT_EQ(ack.ack, 21u);
    EXPECT_EQ(s.blocks(ack), (Blocks{{31, 41}}));
    s.arrive({.seq = 21, .ack = 1, .data = bytes(10)});
    const Seg last = s.next();
    EXPECT_EQ(last.ack, 41u);
    EXPECT_TRUE(last.options.sack_blocks().empty());
}

TEST(TcpSack, WhatWasDroppedForWantOfRoomIsNotReported) {
    Config config = Script::defaults();
    config.max_reassembly = 0;
    Script s(config);
    s.accept({.sack = true});
    s.arrive({.seq = 11, .ack = 1, .data = bytes(10)});
    EXPECT_TRUE(s.next().options.sack_blocks().empty());
    EXPECT_EQ(s.count(&Counters::out_of_order_drops), 1u);
}

TEST(TcpSack, SequenceNumbersWrap) {
    Script s;
    s.accept({.sack = true, .isn = 0xffffff00});
    s.arrive({.seq = 201, .ack = 1, .data = bytes(200)});
    EXPECT_EQ(s.blocks(s.next()), (Blocks{{201, 401}}));
    s.arrive({.seq = 401, .ack = 1, .data = bytes(10)});
    EXPECT_EQ(s.blocks(s.next()), (Blocks{{201, 411}}));
}

TEST(TcpSack, GapsBehindAPausedReaderAreReported) {
    Script s;
    const ConnId c = s.accept({.sack = true});
    s.tcp->pause(c);
    s.arrive({.seq = 1, .ack = 1, .data = bytes(10)});
    EXPECT_TRUE(s.next().options.sack_blocks().empty());
    s.arrive({.seq = 21, .ack = 1, .data = bytes(10)});
    const Seg ack = s.next();
    EXPECT_EQ(ack.ack, 11u);
    EXPECT_EQ(s.blocks(ack), (Blocks{{21, 31}}));
}

// Against a set of all that came: each block is held, the first one holds the newest segment.
TEST(TcpSackBlocks, TellOnlyWhatIsHeld) {
    std::mt19937 random(7);
    for (int round = 0; round < 300; ++round) {
        SackBlocks sack;
        std::set<std::uint32_t> held;
        std::uint32_t rcv_nxt = 0;
        const std::uint32_t base = round % 2 ? 0xffffff80 : 0;
        for (int i = 0; i < 60; ++i) {
            const std::uint32_t from = rcv_nxt + 1 + random() % 100, to = from + 1 + random() % 20;
            sack.add({Seq{base + from}, Seq{base + to}});
            for (std::uint32_t at = from; at < to; ++at)
                held.insert(at);
            ASSERT_FALSE(sack.view().empty());
            ASSERT_LE(sack.view()[0].from, Seq{base + from});
            ASSERT_GE(sack.view()[0].to, Seq{base + to});
            if (random() % 8 == 0) {
                rcv_nxt += random() % 40;
                while (held.contains(rcv_nxt))
                    ++rcv_nxt;
                sack.advance(Seq{base + rcv_nxt});
                held.erase(held.begin(), held.lower_bound(rcv_nxt));
            }
            for (const SackBlock& block : sack.view()) {
                ASSERT_LT(block.from, block.to);
                for (std::uint32_t at = block.from.value - base; at != block.to.value - base; ++at)
                    ASSERT_TRUE(held.contains(at));
                for (const SackBlock& other : sack.view())
                    ASSERT_TRUE(&block == &other || block.to < other.from || other.to < block.from);
            }
        }
    }
}

// --- duplicates (RFC 2883) ---

TEST(TcpDsack, OfASegmentThatWasAcknowledged) {  // section 4.1, example 1
    Script s;
    s.accept({.sack = true});
    s.arrive({.seq = 1, .ack = 1, .data = bytes(500)});
    s.out.clear();
    s.arrive({.seq = 1, .ack = 1, .data = bytes(500)});
    const Seg ack = s.next();
    EXPECT_EQ(ack.ack, 501u);
    EXPECT_EQ(s.blocks(ack), (Blocks{{1, 501}}));
    EXPECT_EQ(s.count(&Counters::dsack_old_sent), 1u);
    // Each duplicate is reported once.
    s.arrive({.seq = 501, .ack = 1, .data = bytes(1)});
    EXPECT_TRUE(s.next().options.sack_blocks().empty());
}

TEST(TcpDsack, OfAnOldSegmentWhileOthersAreHeld) {  // section 4.1, example 2
    Script s;
    s.accept({.sack = true});
    s.arrive({.seq = 1, .ack = 1, .data = bytes(500)});
    s.arrive({.seq = 1001, .ack = 1, .data = bytes(500)});
    s.out.clear();
    s.arrive({.seq = 1, .ack = 1, .data = bytes(500)});
    EXPECT_EQ(s.blocks(s.next()), (Blocks{{1, 501}, {1001, 1501}}));
}

TEST(TcpDsack, OfAHeldSegmentIsFollowedByItsBlock) {  // section 4.1, example 3
    Script s;
    s.accept({.sack = true});
    s.arrive({.seq = 501, .ack = 1, .data = bytes(500)});
    s.arrive({.seq = 1001, .ack = 1, .data = bytes(500)});
    s.arrive({.seq = 2001, .ack = 1, .data = bytes(500)});
    s.out.clear();
    s.arrive({.seq = 1001, .ack = 1, .data = bytes(500)});
    EXPECT_EQ(s.blocks(s.next()), (Blocks{{1001, 1501}, {501, 1501}, {2001, 2501}}));
    EXPECT_EQ(s.count(&Counters::dsack_out_of_order_sent), 1u);
}

TEST(TcpDsack, OfThePartOfASegmentThatIsOld) {  // section 4.2.1
    Script s;
    s.accept({.sack = true});
    s.arrive({.seq = 1, .ack = 1, .data = bytes(500)});
    s.out.clear();
    s.received();
    s.arrive({.seq = 301, .ack = 1, .data = bytes(500)});
    const Seg ack = s.next();
    EXPECT_EQ(ack.ack, 801u);
    EXPECT_EQ(s.blocks(ack), (Blocks{{301, 501}}));
    EXPECT_EQ(s.received().size(), 300u);
}

TEST(TcpDsack, OfThePartOfASegmentThatIsHeld) {  // section 4.2.2
    Script s;
    s.accept({.sack = true});
    s.arrive({.seq = 501, .ack = 1, .data = bytes(500)});
    s.out.clear();
    s.arrive({.seq = 801, .ack = 1, .data = bytes(500)});
    EXPECT_EQ(s.blocks(s.next()), (Blocks{{801, 1001}, {501, 1301}}));
}

TEST(TcpDsack, TakesTheRoomOfTheOldestBlock) {
    Script s;
    s.accept({.timestamps = true, .sack = true});
    s.arrive({.seq = 1, .ack = 1, .data = bytes(100)});
    for (std::uint32_t i = 2; i <= 4; ++i)
        s.arrive({.seq = 1 + 200 * i, .ack = 1, .data = bytes(100)});
    s.out.clear();
    s.arrive({.seq = 1, .ack = 1, .data = bytes(100)});
    EXPECT_EQ(s.blocks(s.next()), (Blocks{{1, 101}, {801, 901}, {601, 701}}));
}

TEST(TcpDsack, OfASegmentThatPawsRejects) {  // an old duplicate has an old timestamp
    Script s;
    s.accept({.timestamps = true, .sack = true});
    s.arrive({.seq = 1, .ack = 1, .data = bytes(100)});
    s.out.clear();
    --s.peer_clock;
    s.arrive({.seq = 1, .ack = 1, .data = bytes(100)});
    EXPECT_EQ(s.count(&Counters::paws_rejected), 1u);
    EXPECT_EQ(s.blocks(s.next()), (Blocks{{1, 101}}));
}

TEST(TcpDsack, ASegmentBeyondTheWindowIsNoDuplicate) {
    Script s;
    s.accept({.sack = true});
    s.arrive({.seq = 1 + (1u << 24), .ack = 1, .data = bytes(100)});
    const Seg ack = s.next();
    EXPECT_EQ(ack.ack, 1u);
    EXPECT_TRUE(ack.options.sack_blocks().empty());
}

TEST(TcpDsack, AKeepAliveProbeOfAnOldByteIsAnswered) {  // and tells the prober nothing wrong
    Script s;
    s.accept({.sack = true});
    s.arrive({.seq = 1, .ack = 1, .data = "ab"});
    s.out.clear();
    s.arrive({.seq = 2, .ack = 1, .data = "b"});
    const Seg ack = s.next();
    EXPECT_EQ(ack.ack, 3u);
    EXPECT_EQ(s.blocks(ack), (Blocks{{2, 3}}));
    EXPECT_TRUE(s.quiet());
}

}  // namespace
}  // namespace millrace::tcp::test
