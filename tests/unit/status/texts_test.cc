#include "engine/status/texts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace millrace::status {
namespace {

using testing::HasSubstr;

// Two shards; the second has twice of everything.
void fill(Board& board) {
    for (const std::uint64_t times : {1, 2}) {
        const auto visit = [times](auto&& visitor) {
            visitor("ws_open", 3 * times);
            visitor("ws_messages_sent", 10 * times);
            visitor("fanout_subscribers_le_0", 1 * times);
            visitor("fanout_subscribers_le_1", 2 * times);
            visitor("tcp.RetransSegs", 0 * times);
        };
        board.join(visit);
        board.write(static_cast<unsigned>(times - 1), visit);
    }
}

TEST(MetricName, IsInSnakeCaseWithItsUnitLastAndTotalForWhatOnlyGrows) {
    EXPECT_EQ(metric_name("tcp.InSegs"), "millrace_tcp_in_segs_total");
    EXPECT_EQ(metric_name("tcp.TCPHPHits"), "millrace_tcp_tcphp_hits_total");
    EXPECT_EQ(metric_name("uring.ReceivedBytes"), "millrace_uring_received_bytes_total");
    EXPECT_EQ(metric_name("Icmp6OutMLDv2Reports"), "millrace_icmp6_out_ml_dv2_reports_total");
    EXPECT_EQ(metric_name("ws_bytes_sent"), "millrace_ws_sent_bytes_total");
    EXPECT_EQ(metric_name("ws_open"), "millrace_ws_open");
}

TEST(Metrics, HaveEachShardsFiguresUnderOneType) {
    Board board(2);
    fill(board);
    const std::string text = metrics(board);
    EXPECT_THAT(text, HasSubstr("# TYPE millrace_ws_open gauge\n"
                                "millrace_ws_open{shard=\"0\"} 3\n"
                                "millrace_ws_open{shard=\"1\"} 6\n"));
    EXPECT_THAT(text, HasSubstr("# TYPE millrace_tcp_retrans_segs_total counter\n"
                                "millrace_tcp_retrans_segs_total{shard=\"0\"} 0\n"));
}

TEST(Metrics, PageIsMadeAnewWhenTheFiguresMayBeOthers) {
    const auto board = std::make_shared<Board>(2);
    fill(*board);
    MetricsPage page(board);
    MetricsPage other = page;
    const Time start{Duration(0)};
    const std::string first(page(start));
    EXPECT_EQ(first, metrics(*board));
    board->write(0, [](auto&& visitor) { visitor("ws_open", 77); });
    EXPECT_EQ(page(start + Board::kPeriod - 1us), first);
    EXPECT_THAT(std::string(other(start)), HasSubstr("ws_open{shard=\"0\"} 77\n"));
    EXPECT_THAT(std::string(page(start + Board::kPeriod)), HasSubstr("ws_open{shard=\"0\"} 77\n"));
}

TEST(Metrics, HistogramsBucketsAreCumulativeAndEndWithAll) {
    Board board(2);
    fill(board);
    EXPECT_THAT(metrics(board), HasSubstr("millrace_fanout_subscribers_bucket{shard=\"1\",le=\"0\"} 2\n"
                                          "millrace_fanout_subscribers_bucket{shard=\"1\",le=\"1\"} 6\n"
                                          "millrace_fanout_subscribers_bucket{shard=\"1\",le=\"+Inf\"} 6\n"
                                          "millrace_fanout_subscribers_count{shard=\"1\"} 6\n"));
}

TEST(Report, IsJsonWithTheSumsThatAreNotZero) {
    Board board(2);
    fill(board);
    const auto said = nlohmann::json::parse(report(board, 1.5));
    EXPECT_EQ(said["seconds"], 1.5);
    EXPECT_EQ(said["shards"], 2);
    EXPECT_EQ(said["open"], (nlohmann::json{3, 6}));
    EXPECT_EQ(said["figures"], (nlohmann::json{{"ws_open", 9},
                                               {"ws_messages_sent", 30},
                                               {"fanout_subscribers_le_0", 3},
                                               {"fanout_subscribers_le_1", 6}}));
}

TEST(Board, LeavesOutWhatIsBeyondItsBound) {
    Board board(1);
    const auto visit = [](auto&& visitor) {
        for (std::uint64_t i = 0; i < Board::kMostFigures + 10; ++i)
            visitor("figure", i + 1);
    };
    board.join(visit);
    board.write(0, visit);
    EXPECT_EQ(board.names().size(), Board::kMostFigures);
    EXPECT_EQ(board.value(0, Board::kMostFigures - 1), Board::kMostFigures);
}

}  // namespace
}  // namespace millrace::status
