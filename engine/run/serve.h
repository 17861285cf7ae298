#pragma once
// A whole server from an application and its options: shards, signals, ready lines, drain, exit status.
//
//     int main(int argc, char** argv) {
//         return millrace::serve(argc, argv, millrace::app(millrace::route("/echo", Echo{})));
//     }

#include <cstdio>
#include <future>
#include <thread>

#include "engine/endpoint/shard.h"
#include "engine/run/serve_options.h"
#include "engine/run/server.h"
#include "engine/run/server_dpdk.h"
#include "engine/run/server_uring.h"

namespace millrace {

// Serves until SIGINT or SIGTERM, then closes all connections with 1001 and returns 0; a second signal ends
// at once. Each shard has its own copy of `app`. Set-up errors: one sentence on standard error, 2.
template <class... Handlers>
int serve(const ServeOptions& options, const App<Handlers...>& app) {
    block_end_signals();
    const Expected<void> served =
        options.net == Net::kDpdk ? serve_dpdk(options, app) : serve_uring(options, app);
    if (served) return 0;
    std::fprintf(stderr, "millrace: %s\n", served.error().message.c_str());
    return 2;
}

template <class... Handlers>
int serve(int argc, const char* const* argv, const App<Handlers...>& app) {
    auto options = parse_serve_options(argc, argv);
    if (options) return serve(*options, app);
    std::fprintf(stderr, "millrace: %s\n", options.error().message.c_str());
    return 2;
}

}  // namespace millrace
