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
int serve(ServeOptions options, App<Handlers...> app) {
    if (auto added = add_www(options, app.pages); !added) return say_error(added.error());
    block_end_signals();
    if (options.secure()) block_reload_signal();  // reads the certificates again
    const Expected<void> served =
        options.net == Net::kDpdk ? serve_dpdk(options, app) : serve_uring(options, app);
    return served ? 0 : say_error(served.error());
}

template <class... Handlers>
int serve(int argc, const char* const* argv, App<Handlers...> app) {
    auto options = parse_serve_options(argc, argv);
    return options ? serve(std::move(*options), std::move(app)) : say_error(options.error());
}

}  // namespace millrace
