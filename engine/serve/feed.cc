#include "engine/serve/feed.h"

#include <algorithm>
#include <random>
#include <string>

namespace millrace {

fanout::Feed make_feed(ServeOptions& options) {
    std::random_device random;
    const auto word = [&random] { return std::uint64_t{random()} << 32 | random(); };
    fanout::FeedConfig config;
    config.hub.epoch = static_cast<std::uint32_t>(std::max<std::uint64_t>(word() >> 32, 1));
    config.hub.secret = {word(), word()};
    config.hub.log.bytes = options.log_bytes;
    config.hub.log.max_payload = std::min<std::size_t>(config.hub.log.max_payload, options.log_bytes / 64);
    config.source = !options.source.empty();
    config.hub.slow_messages = options.slow_messages;
    config.hub.slow_bytes = options.slow_bytes;
    config.publish_tokens = options.publish_tokens;
    config.open_publishing = options.only_loopback();
    for (const std::string_view spoken : {fanout::kBinarySubprotocol, fanout::kJsonSubprotocol})
        options.endpoint.upgrade.subprotocols.emplace_back(spoken);
    const auto shards = static_cast<unsigned>(options.cores.size());
    return fanout::Feed(std::make_shared<fanout::FeedGround>(std::move(config), shards));
}

}  // namespace millrace
