#pragma once
// The options that both peers have.

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>

#include "netstack/base/address.h"
#include "tests/interop/peer/exchange.h"

namespace millrace::interop {

struct PeerOptions {
    bool listens = false;
    net::SocketAddress address;     // to listen on, or to connect to
    std::uint64_t connections = 1;  // after so many it ends
    std::uint64_t parallel = 1;     // of them at a time, where it connects
    Script script;
    std::uint64_t stall_at = 0;  // reads nothing for `stall_seconds` after so many bytes
    double stall_seconds = 0;
    double patience_seconds = 120;  // then it gives up
};

// Adds the options to `app`, whose own are there already, and parses. A sentence about what is wrong on
// failure.
Expected<PeerOptions> parse_peer_options(CLI::App& app, int argc, char** argv);

}  // namespace millrace::interop
