#include "engine/run/connect_options.h"

#include "engine/options/units.h"
#include "engine/run/connect_words.h"

namespace millrace {
namespace {

struct Written {
    ConnectWords connect;
    std::string count = "0";
    std::string wait = "1s";
};

Expected<ConnectOptions> values_of(const Written& written, ConnectOptions options) {
    Expected<void> result;
    const bool good = (result = written.connect.values_of(options)) &&
                      (result = parse_one("--count", written.count, parse_count, options.count)) &&
                      (result = parse_one("--wait", written.wait, parse_duration, options.wait));
    if (!good) return tl::unexpected(result.error());
    return options;
}

}  // namespace

Expected<ConnectOptions> parse_connect_options(int argc, const char* const* argv) {
    Written written;
    ConnectOptions options;
    CLI::App app{
        "A WebSocket client: lines of standard input are sent, messages are written to standard output",
        "millrace connect"};
    written.connect.add_to(app);
    app.add_flag("--binary", options.binary,
                 "send what comes as binary messages, and write messages as they are");
    app.add_option("--count", written.count, "close after so many messages; 0: after the input's end")
        ->capture_default_str();
    app.add_option("--wait", written.wait, "after the input's end, for so long a silence")
        ->capture_default_str();
    app.add_flag("-v,--verbose", options.verbose, "say what happens, pings and pongs among it");
    written.connect.add_ground_to(app);
    if (auto parsed = parse_words(app, argc, argv); !parsed) return tl::unexpected(parsed.error());
    return values_of(written, std::move(options));
}

}  // namespace millrace
