#pragma once
// The options of ground_options.h as they are written on a command line. For option parsers only: CLI11 is
// slow to compile.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "engine/run/ground_options.h"
#include "netstack/base/error.h"

namespace millrace {

// Parses each of `texts` with `parse` into `out`.
template <class Parse, class T>
Expected<void> parse_all(const std::vector<std::string>& texts, Parse parse, std::vector<T>& out) {
    out.clear();
    for (const std::string& text : texts) {
        auto value = parse(text);
        if (!value) return tl::unexpected(value.error());
        out.push_back(*value);
    }
    return {};
}

// Parses `text` into `out`, with the option's name in front of what is wrong.
template <class Parse, class T>
Expected<void> parse_one(std::string_view option, const std::string& text, Parse parse, T& out) {
    auto value = parse(text);
    if (!value) return fail(fmt::format("{}: {}", option, value.error().message));
    out = static_cast<T>(*value);
    return {};
}

// Kept as text until all options are known; values_of() then turns them into values.
class GroundWords {
  public:
    // `app` parses into this, which stays where it is until then.
    void add_to(CLI::App& app);
    // The values besides those that --net dpdk calls for.
    Expected<void> values_of(GroundOptions& options) const;

  private:
    void add_dpdk_to(CLI::App& app);

    std::string net_ = "uring";
    std::vector<std::string> cores_{"0"};
    std::string max_message_ = "16MiB";
    std::string handshake_timeout_ = "10s";
    std::string progress_timeout_ = "30s";
    std::string ping_interval_ = "30s";
    std::string keep_alive_ = "0";
    std::string user_timeout_ = "0";
    std::vector<std::string> ips_;
    std::vector<std::string> gateways_;
    std::string eal_;
    std::string vlan_ = "0";
    std::string device_;
    std::string buffers_ = "0";
    std::string tcp_ = "latency";
};

// Parses the arguments; `--help` prints and ends the process.
Expected<void> parse_words(CLI::App& app, int argc, const char* const* argv);

}  // namespace millrace
