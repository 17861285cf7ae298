#include "bench/result/outcome.h"

#include <cstdio>

#include "bench/result/result_file.h"
#include "bench/result/table.h"

namespace millrace::bench {

int complain(const std::string& program, const std::string& sentence) {
    std::fprintf(stderr, "%s: %s\n", program.c_str(), sentence.c_str());
    return kUsage;
}

int conclude(const std::string& program, const Expected<Result>& result,
             const std::optional<std::string>& json) {
    if (!result) return complain(program, result.error().message);
    // Standard output is for one of the two: the file there, the table elsewhere.
    std::fputs(table(*result).c_str(), json == "-" ? stderr : stdout);
    if (json)
        if (const auto written = write_result(*result, *json); !written)
            return complain(program, written.error().message);
    if (!result->valid()) return kInvalid;
    return result->thresholds_hold() ? kValid : kMissed;
}

}  // namespace millrace::bench
