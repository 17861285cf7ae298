#pragma once
// The options of a client: `millrace connect` and every program built on millrace::connect().

#include <string>

#include "engine/client/dialer.h"
#include "engine/client/url.h"
#include "engine/run/ground_options.h"
#include "engine/tls/client_context.h"
#include "netstack/base/error.h"

namespace millrace {

struct ConnectOptions : GroundOptions {
    client::Url url;
    client::DialOptions dial;
    tls::ClientConfig tls;    // for wss; whose host is the URL's
    bool binary = false;      // millrace connect: standard input and output as bytes, not as lines
    bool verbose = false;     // millrace connect: says what happens
    std::uint64_t count = 0;  // millrace connect: closes after so many messages; zero: at the input's end
    Duration wait = 1s;       // millrace connect: for messages, after the input's end
};

// What the command line means, or one sentence about what is wrong with it. `--help` prints and ends the
// process.
Expected<ConnectOptions> parse_connect_options(int argc, const char* const* argv);

}  // namespace millrace
