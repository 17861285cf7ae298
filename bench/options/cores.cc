#include "bench/options/cores.h"

#include <algorithm>
#include <charconv>
#include <string>

namespace millrace::bench {

Expected<std::vector<unsigned>> parse_cores(std::string_view text) {
    constexpr unsigned kMost = 1024;
    const auto wrong = [text] {
        return fail("'" + std::string(text) + "' is not a list of cores; write one like 0,1 or 0-3");
    };
    std::vector<unsigned> cores;
    const char* at = text.data();
    const char* const end = at + text.size();
    const auto number = [&](unsigned& out) {
        const auto [next, error] = std::from_chars(at, end, out);
        at = next;
        return error == std::errc{} && out < kMost;
    };
    for (;;) {
        unsigned first = 0;
        if (!number(first)) return wrong();
        unsigned last = first;
        if (at != end && *at == '-') {
            ++at;
            if (!number(last) || last < first) return wrong();
        }
        for (unsigned core = first; core <= last; ++core)
            cores.push_back(core);
        if (at == end) return cores;
        if (*at++ != ',') return wrong();
    }
}

Expected<void> check_cores(const std::vector<unsigned>& cores, const std::vector<unsigned>& cpus) {
    for (const unsigned core : cores)
        if (std::find(cpus.begin(), cpus.end(), core) == cpus.end())
            return fail("core " + std::to_string(core) +
                        " is not among those that this process may run on; see nproc and taskset -p $$");
    return {};
}

}  // namespace millrace::bench
