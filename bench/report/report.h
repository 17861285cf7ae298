#pragma once
// `millrace-bench report`: result files of latency runs, shown and compared with the first.

#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include "bench/report/recorded.h"

namespace millrace::bench {

// Shows contenders on `out`, and writes the page where one is wanted. An exit status (result/outcome.h):
// kInvalid when one of the runs is.
int show_report(const std::vector<Contender>& contenders, const std::optional<std::string>& html,
                std::FILE* out);

// The command, from its own name on.
int report_command(int argc, const char* const* argv);

}  // namespace millrace::bench
