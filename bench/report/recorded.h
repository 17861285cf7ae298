#pragma once
// Latency runs as their result files have them.

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "bench/report/comparison.h"
#include "netstack/base/error.h"

namespace millrace::bench {

// One run.
struct Recorded {
    nlohmann::json result;  // of the file
    std::vector<Histogram> parts;

    const nlohmann::json& latency() const { return result.at("stages").at("latency"); }
};

// What is compared: all runs of one file, or those of one server in it.
struct Contender {
    std::string name;
    std::vector<Recorded> runs;

    Sample sample() const;
    // "valid", or of an invalid run why it is.
    std::vector<std::string> invalid_because() const;
};

// Of one result file's text; `name` for messages. Fails with a sentence when it has no latency in it.
Expected<std::vector<Contender>> read_contenders(const std::string& text, const std::string& name);

// Of several files, in their order. Those of one name are told apart by their file's.
Expected<std::vector<Contender>> read_files(const std::vector<std::string>& paths);

Expected<Histogram> histogram_of(const nlohmann::json& json);

}  // namespace millrace::bench
