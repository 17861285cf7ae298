#include "engine/serve/subscribe_options.h"

#include <charconv>

#include "engine/options/units.h"
#include "engine/run/connect_words.h"
#include "engine/serve/feed_client.h"

namespace millrace {
namespace {

struct Written {
    ConnectWords connect;
    std::string from;
    std::string max_rate = "0";
    std::string slow = "default";
    std::string count = "0";
    std::string token;
};

template <class Number>
bool parse_whole(std::string_view text, Number& out) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    return error == std::errc() && end == text.data() + text.size();
}

// "17", of whatever epoch, or "EPOCH:17".
Expected<fanout::Position> parse_position(std::string_view text) {
    fanout::Position position;
    const std::size_t colon = text.find(':');
    const bool good = colon == text.npos ? parse_whole(text, position.sequence)
                                         : parse_whole(text.substr(0, colon), position.epoch) &&
                                               parse_whole(text.substr(colon + 1), position.sequence);
    if (!good)
        return fail(fmt::format("'{}' is no position: write a sequence number, or EPOCH:NUMBER", text));
    return position;
}

fanout::SlowPolicy policy_of(std::string_view text) {
    using enum fanout::SlowPolicy;
    return text == "conflate"      ? kConflate
           : text == "drop-oldest" ? kDropOldest
           : text == "disconnect"  ? kDisconnect
                                   : kDefault;
}

Expected<SubscribeOptions> values_of(const Written& written, SubscribeOptions options) {
    Expected<void> result;
    fanout::Position from;
    const bool good =
        (result = written.connect.values_of(options.connect)) &&
        (result = parse_one("--max-rate", written.max_rate, parse_count, options.options.max_rate)) &&
        (result = parse_one("--count", written.count, parse_count, options.count)) &&
        (written.from.empty() || (result = parse_one("--from", written.from, parse_position, from)));
    if (!good) return tl::unexpected(result.error());
    for (const std::string& topic : options.topics)
        if (!fanout::is_pattern(topic))
            return fail(fmt::format(
                "'{}' is no topic: tokens parted by dots, * for any one, > at the end for the rest", topic));
    if (options.topics.size() > fanout::kMaxRequestTopics)
        return fail(fmt::format("{} topics can be given at most: use * and >", fanout::kMaxRequestTopics));
    if (options.options.max_rate != 0 && !options.options.conflate)
        return fail("--max-rate is for --conflate");
    if (!written.from.empty()) options.options.from = from;
    options.options.slow = policy_of(written.slow);
    ask_for_feed(options.connect.dial, written.token);
    return options;
}

}  // namespace

Expected<SubscribeOptions> parse_subscribe_options(int argc, const char* const* argv) {
    Written written;
    SubscribeOptions options;
    CLI::App app{"The messages of topics, a line each: topic, space, message", "millrace subscribe"};
    written.connect.add_to(app);
    app.add_option("topics", options.topics, "topics; * stands for one token, > at the end for the rest")
        ->required();
    app.add_option("--from", written.from, "resume: from this sequence number on, N or EPOCH:N");
    app.add_flag("--snapshot", options.options.snapshot, "the last value of each topic and key first");
    app.add_flag("--conflate", options.options.conflate, "only the last value of each key");
    app.add_option("--max-rate", written.max_rate, "conflate: messages a second and key at most; 0: any")
        ->capture_default_str();
    app.add_option(
           "--slow", written.slow,
           "when this does not keep up: default (the server's choice), conflate, drop-oldest, disconnect")
        ->check(CLI::IsMember({"default", "conflate", "drop-oldest", "disconnect"}))
        ->capture_default_str();
    app.add_option("--count", written.count, "close after so many messages; 0: never")->capture_default_str();
    app.add_flag("--quiet", options.quiet, "write no messages");
    app.add_flag("--stats", options.stats,
                 "at the end say how much came, and what was skipped or is missing");
    app.add_flag(
        "--latency", options.latency,
        "at the end say how long after the server took them messages were here; both clocks must be one");
    app.add_option("--token", written.token, "which the server asks for");
    written.connect.add_ground_to(app);
    app.footer(
        "Exit status: 0 when it was closed in order, 1 when it was refused, lost, or a message is missing "
        "without the server having said so, 2 for wrong usage.");
    if (auto parsed = parse_words(app, argc, argv); !parsed) return tl::unexpected(parsed.error());
    return values_of(written, std::move(options));
}

}  // namespace millrace
