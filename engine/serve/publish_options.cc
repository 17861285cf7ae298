#include "engine/serve/publish_options.h"

#include <charconv>

#include "engine/options/units.h"
#include "engine/run/connect_words.h"
#include "engine/serve/feed_client.h"

namespace millrace {
namespace {

struct Written {
    ConnectWords connect;
    std::string replay;
    std::string mold;
    bool generate = false;
    bool input = false;
    bool whole = false;
    std::string speed = "1";
    std::string rate = "0";
    std::string symbols = "1000";
    std::string count = "0";
    std::string seed = "1";
    std::string token;
};

// "max" is 0.
Expected<double> parse_speed(std::string_view text) {
    if (text == "max") return 0.0;
    double speed = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), speed);
    if (error != std::errc() || end != text.data() + text.size() || !(speed > 0 && speed <= 1e9))
        return fail(fmt::format("'{}' is no speed: write 1, 10, 0.5 or max", text));
    return speed;
}

Expected<void> source_of(const Written& written, PublishOptions& options) {
    const int sources = !written.replay.empty() + !written.mold.empty() + written.generate + written.input;
    if (sources != 1)
        return fail("say where messages come from: one of --replay FILE, --generate, --stdin and --mold URL");
    if (written.whole && written.replay.empty()) return fail("--whole is for --replay");
    using enum PublishOptions::From;
    options.from = written.generate          ? kGenerator
                   : !written.replay.empty() ? kRecording
                   : !written.mold.empty()   ? kMold
                                             : kInput;
    if (options.from == kMold) {
        auto address = mold::parse_feed_address(written.mold);
        if (!address) return fail("--mold: " + address.error().message);
        options.mold = *address;
    }
    options.recording = written.replay;
    options.whole = written.whole;
    return {};
}

Expected<PublishOptions> values_of(const Written& written) {
    PublishOptions options;
    std::uint64_t rate = 0;
    Expected<void> result;
    const bool good =
        (result = source_of(written, options)) && (result = written.connect.values_of(options.connect)) &&
        (result = parse_one("--speed", written.speed, parse_speed, options.pace.speed)) &&
        (result = parse_one("--rate", written.rate, parse_count, rate)) &&
        (result = parse_one("--symbols", written.symbols, parse_count, options.generator.symbols)) &&
        (result = parse_one("--count", written.count, parse_count, options.generator.count)) &&
        (result = parse_one("--seed", written.seed, parse_count, options.generator.seed));
    if (!good) return tl::unexpected(result.error());
    if (options.generator.symbols == 0 || options.generator.symbols > 1'000'000)
        return fail("--symbols can be 1 to 1m");
    // What is generated keeps its bursts, and has the rate on average.
    if (rate != 0 && options.from == PublishOptions::From::kGenerator)
        options.pace.speed = static_cast<double>(rate) / publish::Generator::kRate;
    else
        options.pace.rate = static_cast<double>(rate);
    ask_for_feed(options.connect.dial, written.token);
    options.connect.endpoint.read_while_full = true;
    return options;
}

}  // namespace

Expected<PublishOptions> parse_publish_options(int argc, const char* const* argv) {
    Written written;
    CLI::App app{
        "Messages into topics, acknowledged: what the server cannot take slows this down, and what it "
        "refuses "
        "is counted and said",
        "millrace publish"};
    app.add_option(
        "--replay", written.replay,
        "a recorded stream, gzip or plain: a line is nanoseconds since 1970, a space, an object with "
        "stream (the topic) and data (the message)");
    app.add_flag("--whole", written.whole, "replay: the message is the whole object, not its data");
    app.add_flag("--generate", written.generate, "market data made from a seed");
    app.add_flag("--stdin", written.input, "lines of standard input: topic, space, message");
    app.add_option(
        "--mold", written.mold,
        "a MoldUDP64 feed of ITCH 5.0, mold://GROUP:PORT?interface=NAME&request=ADDRESS:PORT&from=N: "
        "binary messages as they came, of topics itch.SYMBOL, until the session's end");
    app.add_option("--speed", written.speed, "of the source's own pace: 1, 10, 0.5 or max")
        ->capture_default_str();
    app.add_option("--rate", written.rate,
                   "messages a second at most; what is generated has it on average; 0: as --speed says")
        ->capture_default_str();
    app.add_option("--symbols", written.symbols, "generate: so many, of three topics each")
        ->capture_default_str();
    app.add_option("--count", written.count, "generate: end after so many messages; 0: never")
        ->capture_default_str();
    app.add_option("--seed", written.seed, "generate: the same messages for the same seed")
        ->capture_default_str();
    app.add_option("--token", written.token, "which the server asks publishers for");
    written.connect.add_to(app);
    written.connect.add_ground_to(app);
    app.footer(
        "Exit status: 0 when all was published and taken, 1 when something was not, 2 for wrong usage.");
    if (auto parsed = parse_words(app, argc, argv); !parsed) return tl::unexpected(parsed.error());
    return values_of(written);
}

}  // namespace millrace
