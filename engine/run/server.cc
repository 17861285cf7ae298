#include "engine/run/server.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <iterator>

#include "engine/run/www.h"

namespace millrace {
namespace {

constexpr Duration kLook = 50ms;  // how often the main thread looks whether the shards have ended

bool all_ended(const std::vector<ShardStatus>& shards) {
    return std::all_of(shards.begin(), shards.end(),
                       [](const ShardStatus& shard) { return shard.ended.load(); });
}

}  // namespace

void announce(const std::vector<net::SocketAddress>& listen) {
    for (const auto& address : listen)
        std::fprintf(stderr, "millrace: listening on ws://%s\n", net::to_string(address).c_str());
}

void report_shard(unsigned shard, unsigned core, const EndpointCounters& counters) {
    fmt::print(stderr, "millrace: shard {} on core {} opened {} WebSockets and received {} messages\n", shard,
               core, counters.opened.value(), counters.messages_received.value());
}

int say_error(const Error& error) {
    fmt::print(stderr, "millrace: {}\n", error.message);
    return 2;
}

Expected<void> add_www(const ServeOptions& options, std::vector<Page>& pages) {
    constexpr std::size_t kMostBytes = 256u << 20;
    if (options.www.empty()) return {};
    auto files = load_pages(options.www, options.endpoint.max_message, kMostBytes);
    if (!files) return tl::unexpected(files.error());
    pages.insert(pages.begin(), std::make_move_iterator(files->begin()),
                 std::make_move_iterator(files->end()));
    return {};
}

void advise(std::string_view hint) {
    fmt::print(stderr, "millrace: {}\n", hint);
}

Expected<void> supervise(const ServeOptions& options, ShardControl& control,
                         std::vector<ShardStatus>& shards) {
    Expected<void> result;
    for (ShardStatus& shard : shards) {
        auto ready = shard.ready.get_future().get();
        if (!ready && result) result = ready;
    }
    if (!result) {
        control.stop.store(true);
        return result;
    }
    announce(options.listen);

    while (!all_ended(shards) && !wait_for_end_signal(kLook)) {
    }
    control.drain.store(true);
    for (Duration waited{}; !all_ended(shards) && waited < options.drain_timeout; waited += kLook)
        if (wait_for_end_signal(kLook)) break;
    control.stop.store(true);
    return result;
}

}  // namespace millrace
