#include "engine/status/texts.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <iterator>

namespace millrace::status {
namespace {

// Those that go down as well.
constexpr std::array<std::string_view, 3> kGauges{"ws_open", "fanout_lagging", "fanout_subscriptions"};

bool is_gauge(std::string_view figure) {
    return std::find(kGauges.begin(), kGauges.end(), figure) != kGauges.end();
}

bool is_upper(char c) {
    return std::isupper(static_cast<unsigned char>(c)) != 0;
}

// tcp.InSegs and uring.SentBytes as tcp_in_segs and uring_sent_bytes.
std::string snake(std::string_view name) {
    std::string out;
    for (std::size_t i = 0; i < name.size(); ++i) {
        const char c = name[i];
        const bool begins = is_upper(c) && i != 0 &&
                            (!is_upper(name[i - 1]) || (i + 1 < name.size() && std::islower(name[i + 1])));
        if (begins && out.back() != '_') out += '_';
        out += c == '.' ? '_' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
    return out;
}

// A histogram's buckets are cumulative, and end with all. The sum of its values is not known: the deliveries,
// which are, are a counter of their own.
void add_breadth(const Board& board, std::size_t from, std::size_t to, std::string& out) {
    const auto at = std::back_inserter(out);
    fmt::format_to(at, "# TYPE millrace_fanout_subscribers histogram\n");
    for (unsigned shard = 0; shard < board.shards(); ++shard) {
        std::uint64_t all = 0;
        for (std::size_t i = from; i < to; ++i) {
            all += board.value(shard, i);
            fmt::format_to(at, "millrace_fanout_subscribers_bucket{{shard=\"{}\",le=\"{}\"}} {}\n", shard,
                           board.names()[i].substr(kBreadth.size()), all);
        }
        fmt::format_to(at, "millrace_fanout_subscribers_bucket{{shard=\"{}\",le=\"+Inf\"}} {}\n", shard, all);
        fmt::format_to(at, "millrace_fanout_subscribers_count{{shard=\"{}\"}} {}\n", shard, all);
    }
}

std::size_t index_of(const Board& board, std::string_view name) {
    const auto& names = board.names();
    return static_cast<std::size_t>(std::find(names.begin(), names.end(), name) - names.begin());
}

std::string by_shard(const Board& board, std::string_view name) {
    std::string out;
    const std::size_t figure = index_of(board, name);
    for (unsigned shard = 0; shard < board.shards() && figure < board.names().size(); ++shard)
        fmt::format_to(std::back_inserter(out), "{}{}", shard == 0 ? "" : ",", board.value(shard, figure));
    return out;
}

}  // namespace

std::string metric_name(std::string_view figure) {
    // Units come last (https://prometheus.io/docs/practices/naming/).
    if (figure == "ws_bytes_received") figure = "ws_received_bytes";
    if (figure == "ws_bytes_sent") figure = "ws_sent_bytes";
    return fmt::format("millrace_{}{}", snake(figure), is_gauge(figure) ? "" : "_total");
}

std::string metrics(const Board& board) {
    std::string out;
    const auto& names = board.names();
    const auto in_breadth = [&](std::size_t i) { return i < names.size() && names[i].starts_with(kBreadth); };
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (in_breadth(i)) {
            const std::size_t from = i;
            while (in_breadth(i + 1))
                ++i;
            add_breadth(board, from, i + 1, out);
            continue;
        }
        const std::string name = metric_name(names[i]);
        fmt::format_to(std::back_inserter(out), "# TYPE {} {}\n", name,
                       is_gauge(names[i]) ? "gauge" : "counter");
        for (unsigned shard = 0; shard < board.shards(); ++shard)
            fmt::format_to(std::back_inserter(out), "{}{{shard=\"{}\"}} {}\n", name, shard,
                           board.value(shard, i));
    }
    return out;
}

std::string_view MetricsPage::operator()(Time now) {
    if (!text_.empty() && now - made_ < Board::kPeriod) return text_;
    made_ = now;
    return text_ = metrics(*board_);
}

std::string report(const Board& board, double seconds) {
    std::string figures;
    for (std::size_t i = 0; i < board.names().size(); ++i)
        if (const std::uint64_t sum = board.sum(i); sum != 0)
            fmt::format_to(std::back_inserter(figures), "{}\"{}\":{}", figures.empty() ? "" : ",",
                           board.names()[i], sum);
    return fmt::format(
        R"({{"seconds":{:.3f},"shards":{},"open":[{}],"received":[{}],"sent":[{}],"figures":{{{}}}}})",
        seconds, board.shards(), by_shard(board, "ws_open"), by_shard(board, "ws_messages_received"),
        by_shard(board, "ws_messages_sent"), figures);
}

}  // namespace millrace::status
