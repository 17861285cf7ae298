#pragma once
// The result file, schema 1: flat enough for jq.

#include <nlohmann/json.hpp>
#include <string>

#include "bench/result/result.h"
#include "netstack/base/error.h"

namespace millrace::bench {

nlohmann::ordered_json to_json(const Result& result);

// The file's text. Several runs are one file, "runs" being the files that each would have had.
std::string text_of(const Result& result);
std::string text_of(const std::vector<Result>& runs);

// Writes the file in one piece, so that a reader never sees half of one; "-" is standard output.
Expected<void> write_text(const std::string& text, const std::string& path);
Expected<void> write_result(const Result& result, const std::string& path);

}  // namespace millrace::bench
