#pragma once
// The result file, schema 1: flat enough for jq.

#include <nlohmann/json.hpp>
#include <string>

#include "bench/result/result.h"
#include "netstack/base/error.h"

namespace millrace::bench {

nlohmann::ordered_json to_json(const Result& result);

// Writes the file in one piece, so that a reader never sees half of one; "-" is standard output.
Expected<void> write_result(const Result& result, const std::string& path);

}  // namespace millrace::bench
