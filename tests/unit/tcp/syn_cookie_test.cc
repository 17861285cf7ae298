// SYN cookies: RFC 4987 section 3.6, and what happens when too many handshakes are half open.

#include "netstack/tcp/syn_cookie.h"

#include <random>

#include "tests/unit/tcp/script.h"

namespace millrace::tcp::test {
namespace {

const Secret kSecret{0x0123456789abcdef, 0xfedcba9876543210};
constexpr Time kNow{1h};

// --- the cookie itself ---

TEST(TcpCookie, NamesTheLargestCommonMssThatIsNoLarger) {
    for (const auto& [announced, kept] :
         std::initializer_list<std::pair<std::uint16_t, std::uint16_t>>{{1, 216},
                                                                        {216, 216},
                                                                        {535, 216},
                                                                        {536, 536},
                                                                        {1220, 1220},
                                                                        {1299, 1220},
                                                                        {1440, 1440},
                                                                        {1459, 1440},
                                                                        {1460, 1460},
                                                                        {8939, 1460},
                                                                        {8940, 8940},
                                                                        {65535, 8940}}) {
        const Seq cookie = make_cookie(kSecret, kLocal, kRemote, Seq{77}, announced, kNow);
        EXPECT_EQ(read_cookie(kSecret, kLocal, kRemote, Seq{77}, cookie, kNow), kept) << announced;
        EXPECT_EQ(common_mss(announced), kept);
    }
}

TEST(TcpCookie, IsTakenInItsPeriodAndTheNext) {
    const Seq cookie = make_cookie(kSecret, kLocal, kRemote, Seq{1}, 1460, kNow);
    EXPECT_TRUE(read_cookie(kSecret, kLocal, kRemote, Seq{1}, cookie, kNow + kCookiePeriod));
    for (int periods = 2; periods < 9; ++periods)
        EXPECT_FALSE(read_cookie(kSecret, kLocal, kRemote, Seq{1}, cookie, kNow + periods * kCookiePeriod));
    EXPECT_FALSE(read_cookie(kSecret, kLocal, kRemote, Seq{1}, cookie, kNow - kCookiePeriod));
}

TEST(TcpCookie, IsGoodForItsOwnFlowSequenceAndKeyOnly) {
    const Seq cookie = make_cookie(kSecret, kLocal, kRemote, Seq{1}, 1460, kNow);
    SocketAddress other = kRemote;
    ++other.port;
    EXPECT_FALSE(read_cookie(kSecret, kLocal, other, Seq{1}, cookie, kNow));
    EXPECT_FALSE(read_cookie(kSecret, kRemote, kLocal, Seq{1}, cookie, kNow));
    EXPECT_FALSE(read_cookie(kSecret, kLocal, kRemote, Seq{2}, cookie, kNow));
    EXPECT_FALSE(read_cookie({1, 2}, kLocal, kRemote, Seq{1}, cookie, kNow));
    for (int bit = 0; bit < 32; ++bit)
        EXPECT_FALSE(read_cookie(kSecret, kLocal, kRemote, Seq{1}, Seq{cookie.value ^ 1u << bit}, kNow));
}

TEST(TcpCookie, CannotBeGuessed) {  // 2^-27 a try: none in these, and were they 2^-16, fifteen
    std::mt19937 generator(1);
    const auto random = [&] { return static_cast<std::uint32_t>(generator()); };
    int taken = 0;
    for (int i = 0; i < 1'000'000; ++i)
        taken += read_cookie(kSecret, kLocal, kRemote, Seq{random()}, Seq{random()}, kNow).has_value();
    EXPECT_LT(taken, 2);
}

TEST(TcpCookie, TimestampKeepsScaleAndSackAndIsNeverAhead) {
    for (std::uint32_t clock : {0u, 1u, 31u, 32u, 0x7fffffffu, 0xffffffffu, 123456789u}) {
        for (int scale = -1; scale <= 14; ++scale) {
            for (const bool sack : {false, true}) {
                Options said{.window_scale = static_cast<std::uint8_t>(std::max(scale, 0)),
                             .has_window_scale = scale >= 0,
                             .sack_permitted = sack};
                const std::uint32_t sent = cookie_timestamp(clock, said);
                EXPECT_GE(static_cast<std::int32_t>(clock - sent), 0);
                EXPECT_LT(clock - sent, 64u);
                Options read;
                read_cookie_timestamp(sent, read);
                EXPECT_EQ(read.has_window_scale, scale >= 0);
                EXPECT_EQ(read.window_scale, said.window_scale);
                EXPECT_EQ(read.sack_permitted, sack);
            }
        }
    }
}

// --- the handshake that stands on it ---

// Half-open handshakes from elsewhere up to the bound (8).
void fill(Script& s) {
    s.out.clear();
    Seg syn = s.syn();
    for (std::uint16_t i = 0; i < 8; ++i) {
        syn.from.port = static_cast<std::uint16_t>(5000 + i);
        s.arrive(syn);
        EXPECT_EQ(s.next().flags, kSyn | kAck);
    }
    EXPECT_EQ(s.tcp->half_open(), 8u);
}

// The peer's SYN and the SYN-ACK that answers it by cookie.
Seg ask(Script& s, const Peer& peer = {}) {
    s.peer_isn = peer.isn;
    s.timestamps = peer.timestamps;
    s.arrive(s.syn(peer));
    const Seg answer = s.next();
    EXPECT_EQ(answer.flags, kSyn | kAck);
    EXPECT_EQ(answer.ack, 1u);
    return answer;
}

// The bound in the configuration may be further than the slots reach: half-open handshakes that filled them
// would leave none for who brings a cookie back.
TEST(TcpSynFlood, HalfOfTheSlotsThatAreLeftStaysFreeOfHalfOpenOnes) {
    Config config = Script::defaults();
    config.max_connections = 16;
    config.max_half_open = 16384;
    Script s(config);
    const auto open = [&](std::uint16_t port) {
        s.our_isn = 0;
        Seg syn = s.syn();
        syn.from.port = port;
        s.arrive(syn);
        EXPECT_EQ(s.next().flags, kSyn | kAck);
        s.arrive({.seq = 1, .ack = 1, .from = syn.from});
        EXPECT_EQ(s.event().kind, EventKind::kAccepted) << port;
    };
    for (std::uint16_t port = 1; port <= 8; ++port)
        open(port);
    Seg syn = s.syn();
    for (std::uint16_t i = 0; i < 100; ++i) {
        syn.from.port = static_cast<std::uint16_t>(5000 + i);
        s.arrive(syn);
        EXPECT_EQ(s.next().flags, kSyn | kAck);
    }
    EXPECT_EQ(s.tcp->half_open(), 4u);
    EXPECT_EQ(s.count(&Counters::cookies_sent), 96u);
    EXPECT_EQ(s.count(&Counters::listen_drops_full), 0u);
    for (std::uint16_t port = 9; port <= 12; ++port)
        open(port);
    EXPECT_EQ(s.count(&Counters::cookies_received), 4u);
    s.run(10s);  // so few are a crowd already, and soon given up
    EXPECT_LE(s.tcp->half_open(), 1u);
}

TEST(TcpSynFlood, BeyondTheBoundASynTakesNothing) {  // RFC 4987 section 3.6
    Script s;
    fill(s);
    const std::size_t timers = s.tcp->timers_armed();
    ask(s);
    EXPECT_EQ(s.count(&Counters::cookies_sent), 1u);
    EXPECT_EQ(s.tcp->half_open(), 8u);
    EXPECT_EQ(s.tcp->table_size(), 8u);
    EXPECT_EQ(s.tcp->connections(), 8u);
    EXPECT_EQ(s.tcp->timers_armed(), timers);
    EXPECT_EQ(s.pools.missing(), 0u);
}

TEST(TcpSynFlood, BelowTheBoundThereAreNoCookies) {
    Script s;
    s.accept();
    EXPECT_EQ(s.count(&Counters::cookies_sent), 0u);
}

TEST(TcpSynFlood, AckOfACookieIsAccepted) {
    Script s;
    fill(s);
    ask(s);
    s.arrive({.seq = 1, .ack = 1});
    EXPECT_EQ(s.event().kind, EventKind::kAccepted);
    EXPECT_TRUE(s.quiet());
    EXPECT_EQ(s.tcp->half_open(), 8u);
    EXPECT_EQ(s.tcp->connections(), 9u);
    EXPECT_EQ(s.count(&Counters::cookies_received), 1u);
    EXPECT_EQ(s.count(&Counters::passive_opens), 9u);
}

TEST(TcpSynFlood, BytesFlowBothWaysOverAnAcceptedCookie) {
    Script s;
    fill(s);
    ask(s);
    s.arrive({.seq = 1, .ack = 1});
    const ConnId c = s.event().conn;
    s.arrive({.seq = 1, .ack = 1, .data = "ping"});
    EXPECT_EQ(s.received(), "ping");
    s.say(c, "pong");
    s.next();  // the ACK
    const Seg pong = s.next();
    EXPECT_EQ(pong.data, "pong");
    EXPECT_EQ(pong.seq, 1u);
    s.arrive({.seq = 5, .ack = 5});
    EXPECT_EQ(s.tcp->send_queues(), 0u);
}

TEST(TcpSynFlood, DataOnTheAckOfACookieAreDelivered) {
    Script s;
    fill(s);
    ask(s);
    s.arrive({.flags = kAck | kPsh, .seq = 1, .ack = 1, .data = "GET / HTTP/1.1"});
    EXPECT_EQ(s.event().kind, EventKind::kAccepted);
    EXPECT_EQ(s.received(), "GET / HTTP/1.1");
    EXPECT_EQ(s.next().ack, 15u);
}

TEST(TcpSynFlood, FinOnTheAckOfACookieIsTaken) {
    Script s;
    fill(s);
    ask(s);
    s.arrive({.flags = kAck | kFin, .seq = 1, .ack = 1, .data = "all"});
    EXPECT_EQ(s.event().kind, EventKind::kAccepted);
    EXPECT_EQ(s.received(), "all");
    EXPECT_EQ(s.event().kind, EventKind::kPeerClosed);
    EXPECT_EQ(s.next().ack, 5u);
}

TEST(TcpSynFlood, LostAckOfACookieIsMadeGoodByTheData) {
    Script s;
    fill(s);
    ask(s);
    const std::uint32_t isn = s.our_isn;
    s.run(20s);  // the peer's retransmissions reach us at last
    s.out.clear();
    s.our_isn = isn;
    s.arrive({.seq = 1, .ack = 1, .data = "hello"});
    EXPECT_EQ(s.event().kind, EventKind::kAccepted);
    EXPECT_EQ(s.received(), "hello");
}

TEST(TcpSynFlood, RepeatedSynHasTheSameCookie) {
    Script s;
    fill(s);
    ask(s);
    const std::uint32_t isn = s.our_isn;
    s.now += 1s;
    ask(s);
    EXPECT_EQ(s.our_isn, isn);
    s.arrive({.seq = 1, .ack = 1});
    EXPECT_EQ(s.event().kind, EventKind::kAccepted);
}

TEST(TcpSynFlood, MssIsKept) {
    Script s;
    fill(s);
    ask(s, {.mss = 1300});
    s.arrive({.seq = 1, .ack = 1});
    EXPECT_EQ(s.tcp->connection(s.event().conn).mss, 1300);
}

TEST(TcpSynFlood, WithoutMssOptionSegmentsAre536) {  // RFC 9293 section 3.7.1
    Script s;
    fill(s);
    ask(s, {.mss = 0});
    s.arrive({.seq = 1, .ack = 1});
    EXPECT_EQ(s.tcp->connection(s.event().conn).mss, 536);
}

TEST(TcpSynFlood, WindowScaleAndTimestampsAreKeptInTheTimestamp) {
    Config config = Script::defaults();
    config.receive_window = 4u << 20;
    Script s(config);
    fill(s);
    const Seg answer = ask(s, {.timestamps = true, .window_scale = 7, .mss = 1460});
    EXPECT_TRUE(answer.options.has_timestamps);
    EXPECT_EQ(answer.options.ts_echo, s.peer_clock);
    EXPECT_TRUE(answer.options.has_window_scale);
    EXPECT_EQ(answer.options.window_scale, 7);  // 4 MiB in 16 bits
    s.now += 80ms;
    s.arrive({.seq = 1, .ack = 1, .window = 100});
    const Connection& c = s.tcp->connection(s.event().conn);
    EXPECT_TRUE(c.has(kTimestamps));
    EXPECT_TRUE(c.has(kWindowScaling));
    EXPECT_EQ(c.snd_wnd, 100u << 7);
    EXPECT_EQ(c.receive_scale(), 7u);
    EXPECT_EQ(c.mss, 1448);
    EXPECT_EQ(c.ts_recent, s.peer_clock);
}

TEST(TcpSynFlood, WithoutTimestampsNothingIsOfferedThatCannotBeKept) {
    Script s;
    fill(s);
    const Seg answer = ask(s, {.window_scale = 7});
    EXPECT_FALSE(answer.options.has_window_scale);
    EXPECT_FALSE(answer.options.has_timestamps);
    EXPECT_FALSE(answer.options.sack_permitted);
    EXPECT_EQ(answer.options.mss, 1460);
    s.arrive({.seq = 1, .ack = 1, .window = 100});
    EXPECT_EQ(s.tcp->connection(s.event().conn).snd_wnd, 100u);
}

TEST(TcpSynFlood, SackIsKeptInTheTimestamp) {  // RFC 2018 section 2
    for (const bool offered : {true, false}) {
        Script s;
        fill(s);
        s.timestamps = true;
        Seg syn = s.syn({.timestamps = true});
        syn.options.sack_permitted = offered;
        s.arrive(syn);
        EXPECT_EQ(s.next().options.sack_permitted, offered);
        s.arrive({.seq = 1, .ack = 1});
        EXPECT_EQ(s.tcp->connection(s.event().conn).has(kSack), offered);
    }
}

TEST(TcpSynFlood, OurTimestampsGoOnFromTheCookies) {  // RFC 7323 section 5.3: PAWS at the peer
    Script s;
    fill(s);
    const Seg answer = ask(s, {.timestamps = true});
    s.arrive({.seq = 1, .ack = 1});
    s.say(s.event().conn, "x");
    EXPECT_GE(static_cast<std::int32_t>(s.next().options.ts_value - answer.options.ts_value), 0);
}

TEST(TcpSynFlood, NoRoundTripIsTakenFromACookie) {  // RFC 6298 section 3: the first RTO stays 1 s
    Script s;
    fill(s);
    ask(s);
    s.now += 5ms;
    s.arrive({.seq = 1, .ack = 1});
    const ConnId c = s.event().conn;
    EXPECT_EQ(s.tcp->connection(c).rtt.srtt8, 0u);
    s.say(c, "x");
    s.next();
    s.out.clear();
    s.run(900ms);
    while (!s.quiet())
        EXPECT_EQ(s.next().flags, kSyn | kAck) << "sent again too early";
    s.run(200ms);
    bool again = false;
    while (!s.quiet())
        again |= s.next().data == "x";
    EXPECT_TRUE(again);
}

TEST(TcpSynFlood, OldCookieIsRefused) {
    Script s;
    fill(s);
    ask(s);
    const std::uint32_t isn = s.our_isn;
    s.run(2 * kCookiePeriod);
    s.our_isn = 0;
    fill(s);
    Seg syn = s.syn();
    syn.from.port = 6000;
    s.arrive(syn);  // others keep cookies in use
    EXPECT_EQ(s.count(&Counters::cookies_sent), 2u);
    s.out.clear();
    s.our_isn = isn;
    s.arrive({.seq = 1, .ack = 1});
    EXPECT_TRUE(s.events.empty());
    EXPECT_EQ(s.next().flags, kRst);
    EXPECT_EQ(s.count(&Counters::cookies_failed), 1u);
}

TEST(TcpSynFlood, ForgedAckIsResetAndCounted) {
    Script s;
    fill(s);
    ask(s);
    for (std::uint32_t i = 1; i <= 100; ++i)
        s.arrive({.seq = 1, .ack = 1 + i * 977});
    EXPECT_EQ(s.count(&Counters::cookies_failed), 100u);
    EXPECT_EQ(s.out.size(), 100u);
    for (const Seg& reset : s.out)
        EXPECT_EQ(reset.flags, kRst);
    EXPECT_TRUE(s.events.empty());
    EXPECT_EQ(s.tcp->connections(), 8u);
}

TEST(TcpSynFlood, AckFromAnotherPortDoesNotUseTheCookie) {
    Script s;
    fill(s);
    ask(s);
    SocketAddress other = kRemote;
    other.port = 40001;
    s.arrive({.seq = 1, .ack = 1, .from = other});
    EXPECT_EQ(s.next().flags, kRst);
    EXPECT_TRUE(s.events.empty());
}

TEST(TcpSynFlood, RstForACookieIsIgnored) {  // nothing is there to be reset
    Script s;
    fill(s);
    ask(s);
    s.arrive({.flags = kRst | kAck, .seq = 1, .ack = 1});
    EXPECT_TRUE(s.quiet());
    EXPECT_EQ(s.tcp->connections(), 8u);
}

TEST(TcpSynFlood, WithNoCookiesAboutAnAckIsNotEvenLookedAt) {
    Script s;
    s.arrive({.seq = 1, .ack = 1});
    EXPECT_EQ(s.next().flags, kRst);
    EXPECT_EQ(s.count(&Counters::cookies_failed), 0u);
}

TEST(TcpSynFlood, GoodCookieToAFullTableIsDroppedAndCanComeAgain) {
    Config config = Script::defaults();
    config.max_connections = 8;
    Script s(config);
    const auto open = [&](std::uint16_t port) {
        s.our_isn = 0;
        Seg syn = s.syn();
        syn.from.port = port;
        s.arrive(syn);
        s.next();
        s.arrive({.seq = 1, .ack = 1, .from = syn.from});
        EXPECT_EQ(s.event().kind, EventKind::kAccepted);
    };
    for (std::uint16_t port = 1; port <= 6; ++port)
        open(port);
    Seg syn = s.syn();
    syn.from.port = 5000;
    s.arrive(syn);
    s.next();
    ask(s);
    const std::uint32_t cookie = s.our_isn;
    open(7);  // by cookie, too: the table is full
    s.our_isn = cookie;
    s.arrive({.seq = 1, .ack = 1});
    EXPECT_TRUE(s.quiet()) << "a reset would end what the peer may still complete";
    EXPECT_EQ(s.count(&Counters::listen_drops_full), 1u);
    s.arrive({.flags = kRst, .seq = 1, .from = syn.from});
    s.arrive({.seq = 1, .ack = 1, .data = "again"});
    EXPECT_EQ(s.event().kind, EventKind::kAccepted);
    EXPECT_EQ(s.received(), "again");
}

TEST(TcpSynFlood, HalfOpenOnesExpireSoonerInACrowd) {  // RFC 4987 section 3.3
    Script s;
    fill(s);
    s.run(16s);
    EXPECT_LE(s.tcp->half_open(), 4u);
    s.run(60s);
    s.expect_empty();
    s.out.clear();
    s.accept();
    EXPECT_EQ(s.count(&Counters::cookies_sent), 0u);
}

TEST(TcpSynFlood, HandshakesThatHaveBegunFinish) {
    Script s;
    fill(s);
    for (int i = 0; i < 1000; ++i) {
        Seg syn = s.syn();
        syn.from = {Ipv4{0x0b000000u + static_cast<std::uint32_t>(i)}, 99};
        s.arrive(syn);
    }
    EXPECT_EQ(s.count(&Counters::cookies_sent), 1000u);
    s.out.clear();
    Seg syn = s.syn();
    syn.from.port = 5003;
    s.arrive(syn);  // the SYN-ACK again tells its ISN
    s.next();
    s.arrive({.seq = 1, .ack = 1, .from = syn.from});
    EXPECT_EQ(s.event().kind, EventKind::kAccepted);
    EXPECT_EQ(s.tcp->half_open(), 7u);
}

TEST(TcpSynFlood, ReusedTimeWaitNeedsAnIsnOfItsOwn) {  // RFC 9293 section 3.6.1: above the old one's
    Script s;
    const ConnId c = s.accept();
    s.tcp->close(c);
    s.flush();
    s.next();
    s.arrive({.flags = kFin | kAck, .seq = 1, .ack = 2});
    s.out.clear();
    s.events.clear();
    fill(s);
    s.our_isn = 0;
    Seg syn = s.syn();
    syn.seq = 5000;
    s.arrive(syn);
    EXPECT_EQ(s.next().flags, kSyn | kAck);
    EXPECT_EQ(s.count(&Counters::cookies_sent), 0u);
    EXPECT_EQ(s.tcp->half_open(), 9u);
}

TEST(TcpSynFlood, MssBelowTheFloorIsCountedAndRaised) {
    Script s;
    const ConnId c = s.accept({.mss = 8});
    EXPECT_EQ(s.tcp->connection(c).mss, 216);
    EXPECT_EQ(s.count(&Counters::mss_floors), 1u);
}

}  // namespace
}  // namespace millrace::tcp::test
