#pragma once
// The report as one HTML page that needs nothing from anywhere: the verdict first, then the pictures, then
// what it takes to do it again.

#include <string>
#include <vector>

#include "bench/report/comparison.h"
#include "bench/report/recorded.h"

namespace millrace::bench {

// `compared`: the others with the first, in their order; one fewer than contenders.
std::string page(const std::vector<Contender>& contenders,
                 const std::vector<std::vector<QuantileComparison>>& compared);

}  // namespace millrace::bench
