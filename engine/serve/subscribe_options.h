#pragma once
// The options of `millrace subscribe`.

#include <string>
#include <vector>

#include "engine/fanout/request.h"
#include "engine/run/connect_options.h"

namespace millrace {

struct SubscribeOptions {
    ConnectOptions connect;
    std::vector<std::string> topics;
    fanout::Options options;
    std::uint64_t count = 0;  // close after so many messages; 0: never
    bool quiet = false;       // nothing to standard output
    bool stats = false;
    bool latency = false;
};

Expected<SubscribeOptions> parse_subscribe_options(int argc, const char* const* argv);

}  // namespace millrace
