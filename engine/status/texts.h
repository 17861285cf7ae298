#pragma once
// What a board says, for Prometheus and for the status page.

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "engine/status/board.h"
#include "netstack/base/time.h"

namespace millrace::status {

// Figures so named are the histogram of fan-out: the name is followed by the bucket's upper bound, and
// buckets come in rising order.
inline constexpr std::string_view kBreadth = "fanout_subscribers_le_";

// Prometheus' text format, version 0.0.4: each figure by shard.
inline constexpr std::string_view kMetricsType = "text/plain; version=0.0.4; charset=utf-8";
std::string metrics(const Board& board);

// The same for a page, made anew at most as often as shards write their figures: who asks more often costs
// the shard's loop no more. A shard's own.
class MetricsPage {
  public:
    explicit MetricsPage(std::shared_ptr<const Board> board) : board_(std::move(board)) {}
    std::string_view operator()(Time now);

  private:
    std::shared_ptr<const Board> board_;
    std::string text_;
    Time made_{};
};

// A figure's name as a metric's: tcp.InSegs becomes millrace_tcp_in_segs_total.
std::string metric_name(std::string_view figure);

// One JSON object:
// {"seconds":S,"shards":N,"open":[..],"received":[..],"sent":[..],"figures":{"name":sum,..}}: the lists by
// shard, the sums of those that are not 0. `seconds`: since the server began.
std::string report(const Board& board, double seconds);

}  // namespace millrace::status
