#pragma once
// The options of a server, as DESIGN has them: `millrace serve` and every program built on millrace::serve().

#include <string>
#include <vector>

#include "engine/run/ground_options.h"
#include "engine/tls/server_context.h"
#include "netstack/base/address.h"
#include "netstack/base/error.h"

namespace millrace {

struct ListenAddress : net::SocketAddress {
    bool secure = false;  // wss
};
std::string to_url(const ListenAddress& address);

struct ServeOptions : GroundOptions {
    bool take_memory = false;  // for max_connections idle ones, at the start: somebody counts on them
    std::vector<ListenAddress> listen;  // every shard listens on all of them
    tls::ServerConfig tls;              // of those that are wss
    tls::TicketKeys tickets;            // those that all shards begin with
    Duration drain_timeout = 10s;
    std::string www;              // a directory whose files are served as pages; empty: none
    AccessTokens publish_tokens;  // of which one is asked of publishers, where the application has a feed
    std::uint64_t log_bytes = 64u << 20;  // of a shard's log of publications, likewise
    std::string source;                   // the URL of where publications come from besides; empty: nowhere
    // How far behind a slow subscription may be before its policy is applied, likewise.
    std::uint64_t slow_messages = 100'000;
    std::uint64_t slow_bytes = 16u << 20;

    bool secure() const;         // some listener is wss
    bool only_loopback() const;  // nobody reaches a listener from another machine
};

// What the command line means, or one sentence about what is wrong with it. `--help` and `--version` print
// and end the process.
Expected<ServeOptions> parse_serve_options(int argc, const char* const* argv);

}  // namespace millrace
