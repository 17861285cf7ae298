#pragma once
// CPUs as people write them.

#include <string_view>
#include <vector>

#include "netstack/base/error.h"

namespace millrace::bench {

// "0,2-4" as 0 2 3 4.
Expected<std::vector<unsigned>> parse_cores(std::string_view text);

// Fails for the first of `cores` that is not among `cpus`, those that this process may run on.
Expected<void> check_cores(const std::vector<unsigned>& cores, const std::vector<unsigned>& cpus);

}  // namespace millrace::bench
