#pragma once
// The result for people: one block a stage, each figure with its unit and what it means.

#include <cstdint>
#include <string>

#include "bench/result/result.h"

namespace millrace::bench {

std::string table(const Result& result);

// "1,234,567"
std::string with_commas(std::uint64_t number);

}  // namespace millrace::bench
