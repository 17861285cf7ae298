#pragma once
// How a measuring program ends.

#include <optional>
#include <string>

#include "bench/result/result.h"
#include "netstack/base/error.h"

namespace millrace::bench {

// Exit statuses.
inline constexpr int kValid = 0;
inline constexpr int kMissed = 1;   // a threshold
inline constexpr int kUsage = 2;    // usage or set-up error
inline constexpr int kInvalid = 3;  // the run

// "program: sentence" on standard error; kUsage.
int complain(const std::string& program, const std::string& sentence);

// Shows the result, writes its file where one is wanted ("-": standard output), and says how it ended.
int conclude(const std::string& program, const Expected<Result>& result,
             const std::optional<std::string>& json);

}  // namespace millrace::bench
