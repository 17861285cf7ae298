// Opening (RFC 9293 section 3.5) and what the SYNs negotiate.

#include "tests/unit/tcp/script.h"

namespace millrace::tcp::test {
namespace {

TEST(TcpHandshake, PassiveOpenThreeWay) {  // RFC 9293 figure 6
    Script s;
    const ConnId c = s.accept();
    EXPECT_EQ(s.tcp->connection(c).state, State::kEstablished);
    EXPECT_EQ(s.tcp->peer(c), kRemote);
    EXPECT_EQ(s.tcp->local(c), kLocal);
    EXPECT_EQ(s.tcp->half_open(), 0u);
    EXPECT_EQ(s.tcp->connections(), 1u);
}

TEST(TcpHandshake, ActiveOpenThreeWay) {
    Script s;
    const ConnId c = s.connect();
    EXPECT_EQ(s.tcp->connection(c).state, State::kEstablished);
    EXPECT_EQ(s.tcp->peer(c), kRemote);
    EXPECT_GE(s.tcp->local(c).port, 1024);
}

TEST(TcpHandshake, EchoAndGoodbye) {
    Script s;
    const ConnId c = s.accept();
    s.arrive({.seq = 1, .ack = 1, .data = "ping"});
    EXPECT_EQ(s.received(), "ping");
    EXPECT_EQ(s.next().ack, 5u);
    s.say(c, "pong");
    const Seg pong = s.next();
    EXPECT_EQ(pong.data, "pong");
    EXPECT_EQ(pong.seq, 1u);
    EXPECT_EQ(pong.ack, 5u);
    EXPECT_EQ(pong.flags, kAck | kPsh);
    s.arrive({.flags = kAck | kFin, .seq = 5, .ack = 5});
    EXPECT_EQ(s.event().kind, EventKind::kPeerClosed);
    EXPECT_EQ(s.next().ack, 6u);
    s.tcp->close(c);
    s.flush();
    EXPECT_EQ(s.next().flags, kAck | kFin);
    s.arrive({.seq = 6, .ack = 6});
    const Happened closed = s.event();
    EXPECT_EQ(closed.kind, EventKind::kClosed);
    EXPECT_EQ(closed.reason, CloseReason::kFinished);
    s.poll();
    s.expect_empty();
}

}  // namespace
}  // namespace millrace::tcp::test
