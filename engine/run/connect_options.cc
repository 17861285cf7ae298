#include "engine/run/connect_options.h"

#include "engine/options/units.h"
#include "engine/run/client_words.h"
#include "engine/run/ground_words.h"

namespace millrace {
namespace {

struct Written {
    ClientWords client;
    GroundWords ground;
    std::string redirects = "5";
    std::string count = "0";
    std::string wait = "1s";
};

Expected<ConnectOptions> values_of(const Written& written, ConnectOptions options) {
    options.max_connections = 64;  // each attempt has a slot of its own until the next poll
    Expected<void> result;
    const bool good = (result = written.ground.values_of(options)) &&
                      (result = written.client.values_of(options.url, options.dial)) &&
                      (result = parse_one("--max-redirects", written.redirects, parse_count,
                                          options.dial.redirects.most)) &&
                      (result = parse_one("--count", written.count, parse_count, options.count)) &&
                      (result = parse_one("--wait", written.wait, parse_duration, options.wait));
    if (!good) return tl::unexpected(result.error());
    if (options.dial.redirects.most > 20) return fail("--max-redirects can be 20 at most");
    if (options.cores.size() != 1) return fail("a client has one core: write --cores as 0");
    options.tls = written.client.tls();
    return options;
}

}  // namespace

Expected<ConnectOptions> parse_connect_options(int argc, const char* const* argv) {
    Written written;
    ConnectOptions options;
    CLI::App app{
        "A WebSocket client: lines of standard input are sent, messages are written to standard output",
        "millrace connect"};
    written.client.add_to(app);
    app.add_option("--max-redirects", written.redirects, "followed in a row; 0: none")->capture_default_str();
    app.add_flag("--redirect-to-plain", options.dial.redirects.to_plain, "follow redirects from wss to ws");
    app.add_flag("--binary", options.binary,
                 "send what comes as binary messages, and write messages as they are");
    app.add_option("--count", written.count, "close after so many messages; 0: after the input's end")
        ->capture_default_str();
    app.add_option("--wait", written.wait, "after the input's end, for so long a silence")
        ->capture_default_str();
    app.add_flag("-v,--verbose", options.verbose, "say what happens, pings and pongs among it");
    written.ground.add_to(app);
    if (auto parsed = parse_words(app, argc, argv); !parsed) return tl::unexpected(parsed.error());
    return values_of(written, std::move(options));
}

}  // namespace millrace
