// A run is valid only when everything that was sent came back, and was what had been sent.

#include "bench/lab/verdict.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace::bench {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Result good() {
    Result result;
    result.connect = ConnectResult{.connections = 10};
    result.hold = HoldResult{.connections = 10, .verified = 10};
    result.echo = EchoResult{.messages = 5, .verified_bytes = 320, .server_verified_bytes = 320};
    result.scatter = ScatterResult{.messages = 7};
    result.latency = LatencyResult{.sent = 3};
    result.fanout = FanoutResult{.subscribers = 5};
    result.fanout->single.deliveries = 5;
    result.churn = ChurnResult{.rounds = 4};
    result.close = CloseResult{.connections = 10, .closed = 10};
    return result;
}

TEST(Verdict, AGoodRunIsValid) {
    Result result = good();
    judge(result, {.verified_bytes = 320}, 0, 0);
    EXPECT_THAT(result.invalid_because, IsEmpty());
    EXPECT_TRUE(result.valid());
}

TEST(Verdict, StagesThatDidNotRunAreNotJudged) {
    Result result;
    judge(result, {}, 0, 0);
    EXPECT_TRUE(result.valid());
}

TEST(Verdict, EachFaultMakesTheRunInvalid) {
    const auto verdict = [](auto spoil) {
        Result result = good();
        ServerTotals server{.verified_bytes = 320};
        std::uint64_t corrupted = 0, lost = 0;
        spoil(result, server, corrupted, lost);
        judge(result, server, corrupted, lost);
        return result.invalid_because;
    };
    using R = Result&;
    using S = ServerTotals&;
    using N = std::uint64_t&;
    EXPECT_THAT(verdict([](R r, S, N, N) { r.connect->failed = 1; }),
                ElementsAre(HasSubstr("failed to open")));
    EXPECT_THAT(verdict([](R r, S, N, N) { r.hold->lost = 1; }), ElementsAre(HasSubstr("did not echo")));
    EXPECT_THAT(verdict([](R r, S, N, N) { r.fanout->failed = 1; }), ElementsAre(HasSubstr("subscribers")));
    EXPECT_THAT(verdict([](R r, S, N, N) { r.fanout->gaps = 1; }), ElementsAre(HasSubstr("were lost")));
    EXPECT_THAT(verdict([](R r, S, N, N) { r.fanout->wrong = 1; }), ElementsAre(HasSubstr("out of order")));
    EXPECT_THAT(verdict([](R r, S, N, N) { r.fanout->ended = 1; }), ElementsAre(HasSubstr("were lost")));
    EXPECT_THAT(verdict([](R r, S, N, N) { r.fanout->refused = 1; }), ElementsAre(HasSubstr("refused")));
    EXPECT_THAT(verdict([](R r, S, N, N) { r.fanout->single.deliveries = 0; }),
                ElementsAre(HasSubstr("no delivery")));
    EXPECT_THAT(verdict([](R r, S, N, N) { r.echo->lost = 2; }),
                ElementsAre(HasSubstr("2 messages of the echo")));
    EXPECT_THAT(verdict([](R r, S, N, N) { r.echo->messages = 0; }),
                ElementsAre(HasSubstr("verified no message")));
    EXPECT_THAT(verdict([](R r, S, N, N) { r.echo->server_verified_bytes = 288; }),
                ElementsAre(HasSubstr("disagree")));
    EXPECT_THAT(verdict([](R r, S, N, N) { r.latency->lost = 1; }), ElementsAre(HasSubstr("latency")));
    EXPECT_THAT(verdict([](R r, S, N, N) { r.latency->sent = 0; }), ElementsAre(HasSubstr("latency")));
    EXPECT_THAT(verdict([](R r, S, N, N) { r.hold->pings = 2, r.hold->pongs = 1; }),
                ElementsAre(HasSubstr("1 pings were not answered")));
    EXPECT_THAT(verdict([](R r, S, N, N) { r.scatter->lost = 1; }), ElementsAre(HasSubstr("scatter")));
    EXPECT_THAT(verdict([](R r, S, N, N) { r.scatter->messages = 0; }), ElementsAre(HasSubstr("scatter")));
    EXPECT_THAT(verdict([](R r, S, N, N) { r.churn->failed = 3; }),
                ElementsAre(HasSubstr("3 connections of the churn")));
    EXPECT_THAT(verdict([](R r, S, N, N) { r.churn->rounds = 0; }), ElementsAre(HasSubstr("churn")));
    EXPECT_THAT(verdict([](R r, S, N, N) { r.close->closed = 8; }),
                ElementsAre(HasSubstr("2 connections had no closing")));
    EXPECT_THAT(verdict([](R, S s, N, N) { s.corrupted = 1; }),
                ElementsAre(HasSubstr("at the server changed")));
    EXPECT_THAT(verdict([](R, S s, N, N) { s.refused = 1; }),
                ElementsAre(HasSubstr("no room at the server")));
    EXPECT_THAT(verdict([](R, S, N c, N) { c = 1; }), ElementsAre(HasSubstr("to the client changed")));
    EXPECT_THAT(verdict([](R, S, N, N l) { l = 1; }), ElementsAre(HasSubstr("connections were lost")));
}

}  // namespace
}  // namespace millrace::bench
