#pragma once
// The comparison in words and as a table for the terminal.

#include <string>
#include <vector>

#include "bench/report/comparison.h"
#include "bench/report/recorded.h"

namespace millrace::bench {

// "B is slower than A: p99 12.3 µs to 10.1 µs ..."
std::string headline(const Contender& a, const Contender& b, const std::vector<QuantileComparison>& compared);

// What the intervals stand on.
std::string how_compared(const Contender& a, const Contender& b);

std::string comparison_table(const Contender& a, const Contender& b,
                             const std::vector<QuantileComparison>& compared);

}  // namespace millrace::bench
