#include "bench/load/words.h"

#include <charconv>
#include <cmath>
#include <fstream>
#include <iterator>

#include "engine/options/units.h"

namespace millrace::bench {
namespace {

constexpr std::uint64_t kMostInFlight = 1u << 16;
constexpr std::uint64_t kMostProcesses = 256;

Expected<std::string> read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(file), {}};
    if (!file) return fail("cannot read " + path + ": give the name of a file that is there");
    return text;
}

// A number a second: a count, or a decimal fraction such as 0.1.
Expected<double> parse_rate(std::string_view text) {
    if (const auto count = parse_count(text); count && *count > 0) return static_cast<double>(*count);
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || !(value > 0) || !std::isfinite(value))
        return fail(fmt::format("'{}' is not a number a second: write it as 100, 20k or 0.1", text));
    return value;
}

// "127.0.0.1-127.0.0.8", or one address.
Expected<void> parse_sources(std::string_view text, LoadOptions& options) {
    if (text.empty()) return {};
    const std::size_t dash = text.find('-');
    const auto first = net::parse_ip(text.substr(0, dash));
    const auto last = dash == text.npos ? first : net::parse_ip(text.substr(dash + 1));
    if (!first || !last || first->is_v4() != last->is_v4() || first->high != last->high || *last < *first)
        return fail(
            fmt::format("'{}' is not a range of addresses: write --src-ip as 127.0.0.1-127.0.0.8", text));
    if (options.net == Net::kDpdk)
        return fail("--src-ip belongs to --net uring: over DPDK, give each of our addresses with --ip");
    options.first_source = *first;
    options.last_source = *last;
    return {};
}

Expected<void> choose_content(const LoadWords& words, LoadOptions& options) {
    if (!words.text.empty() && !words.file.empty())
        return fail("--message and --message-file cannot both be sent: leave one out");
    options.content.text = words.text;
    if (!words.file.empty()) {
        auto text = read_file(words.file);
        if (!text) return tl::unexpected(text.error());
        if (text->empty())
            return fail("--message-file " + words.file + " is empty: there is nothing to send");
        options.content.text = std::move(*text);
    }
    if (!words.subscribe.empty()) {
        auto text = read_file(words.subscribe);
        if (!text) return tl::unexpected(text.error());
        options.subscribe = std::move(*text);
    }
    const std::uint64_t longest =
        std::max<std::uint64_t>(options.content.text.size(), options.content.sizes.most);
    if (longest > options.endpoint.max_message)
        return fail("a message of that size cannot be received back: raise --max-message");
    return {};
}

Expected<void> choose_mode(const LoadWords& words, LoadOptions& options) {
    const int ways = !words.in_flight.empty() + !words.rate.empty() + !words.rate_each.empty() + words.churn;
    if (ways > 1)
        return fail("--in-flight, --rate, --rate-each and --churn exclude each other: give one of them");
    options.arrivals = words.schedule == "poisson" ? Arrivals::kPoisson : Arrivals::kConstant;
    // What a subscriber hears is not what it said.
    options.echo = !words.no_echo && options.subscribe.empty();
    Expected<void> result;
    if (words.churn) {
        options.mode = LoadMode::kChurn;
    } else if (!words.rate.empty()) {
        options.mode = LoadMode::kOpenLoop;
        result = parse_one("--rate", words.rate, parse_rate, options.rate);
    } else if (!words.rate_each.empty()) {
        options.mode = LoadMode::kOpenLoop;
        result = parse_one("--rate-each", words.rate_each, parse_rate, options.rate);
        options.rate *= static_cast<double>(options.connections);
    } else if (!words.in_flight.empty()) {
        result = parse_one("--in-flight", words.in_flight, parse_count, options.in_flight);
    }
    if (!result) return result;
    if (options.mode == LoadMode::kClosedLoop && !options.echo) {
        if (!words.in_flight.empty())
            return fail(
                "--in-flight waits for echoes, which --no-echo and --subscribe say will not come: use "
                "--rate");
        options.mode = LoadMode::kListen;
    }
    if (options.mode == LoadMode::kChurn && !options.echo)
        return fail("--churn waits for an echo, which --no-echo and --subscribe say will not come");
    if (options.in_flight == 0 || options.in_flight > kMostInFlight)
        return fail(fmt::format("--in-flight must be between 1 and {}", kMostInFlight));
    if (options.rate > 1e9)
        return fail("a rate can be 1g at most: more than a message a nanosecond is not measured");
    return {};
}

}  // namespace

void LoadWords::add_to(CLI::App& app, LoadOptions& options) {
    client.add_to(app);
    app.add_option("-c,--connections", connections, "opened and kept")->capture_default_str();
    app.add_option("--connect-rate", connect_rate, "openings a second; 0: as fast as they are answered")
        ->capture_default_str();
    app.add_option("-d,--duration", duration, "how long it measures")->capture_default_str();
    app.add_option("--warmup", warm_up, "before it measures")->capture_default_str();
    app.add_option("-m,--message", text, "what is sent (default: a pattern)");
    app.add_option("--message-file", file, "the same, from a file");
    app.add_flag("--binary", options.content.binary, "send it as binary messages");
    app.add_option("--size", sizes, "of the pattern, bytes: 32B, or drawn from 64B-4KiB")
        ->capture_default_str();
    app.add_option("--schedule", schedule,
                   "open loop: messages leave at constant intervals, or as a poisson process")
        ->check(CLI::IsMember({"constant", "poisson"}))
        ->capture_default_str();
    app.add_option("--src-ip", source, "uring: connect from these addresses in turn, FIRST-LAST");
    app.add_option("--threshold", thresholds,
                   "what the run must reach, 'p99<50us', 'rate>=100k', repeatable; else exit status 1");
    app.add_option("--seed", seed, "what the pattern and the poisson process follow from")
        ->capture_default_str();
    app.add_option("--json", options.json, "write the result file here; - is standard output");
    ground.add_to(app);
}

Expected<void> LoadWords::values_of(LoadOptions& options) const {
    Expected<void> result;
    const bool good =
        (result = ground.values_of(options)) && (result = client.values_of(options.url, options.dial)) &&
        (result = parse_one("--connections", connections, parse_count, options.connections)) &&
        (connect_rate == "0" ||
         (result = parse_one("--connect-rate", connect_rate, parse_rate, options.connect_rate))) &&
        (result = parse_one("--duration", duration, parse_duration, options.duration)) &&
        (result = parse_one("--warmup", warm_up, parse_duration, options.warm_up)) &&
        (result = parse_one("--size", sizes, parse_sizes, options.content.sizes)) &&
        (result = parse_one("--processes", processes, parse_count, options.processes)) &&
        (result = parse_one("--seed", seed, parse_count, options.content.seed)) &&
        (result = parse_all(thresholds, Threshold::parse, options.thresholds)) &&
        (result = parse_all(slo, Threshold::parse, options.slo)) &&
        (result = parse_sources(source, options)) && (result = choose_content(*this, options)) &&
        (result = choose_mode(*this, options));
    if (!good) return result;
    if (options.connections == 0 || options.connections > 1u << 30)
        return fail("--connections must be between 1 and 1,073,741,824");
    if (options.connections < options.cores.size())
        return fail("--connections must be at least the number of --cores");
    if (options.processes == 0 || options.processes > kMostProcesses)
        return fail(fmt::format("--processes must be between 1 and {}", kMostProcesses));
    if (options.processes > 1 && options.net == Net::kDpdk)
        return fail("--processes belongs to --net uring: over DPDK a process has its port to itself");
    const bool open_loop = options.mode == LoadMode::kOpenLoop && options.echo;
    if (options.find_rate != !options.slo.empty() || (options.find_rate && !open_loop))
        return fail(
            "--find-max-rate needs a --slo to keep, as 'p99<1ms', and a --rate to begin with, of echoes");
    if (options.duration < 10ms)
        return fail("--duration must be at least 10ms, or there is nothing to measure");
    options.tls = client.tls();
    options.endpoint.read_while_full = true;  // what is said next waits for on_drain
    return {};
}

}  // namespace millrace::bench
