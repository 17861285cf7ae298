#pragma once
// What one shard of a load counts, and how its results become one.

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "bench/result/histogram.h"
#include "netstack/base/counter.h"
#include "netstack/base/time.h"

namespace millrace::bench {

// Reasons in words, each counted. What a peer can say is without end: those beyond the bound have a name
// together.
class Reasons {
  public:
    void add(std::string_view why) {
        constexpr std::size_t kMost = 32;
        auto found = counts_.find(why);
        if (found == counts_.end())
            found = counts_.emplace(counts_.size() < kMost ? why : "other reasons", 0).first;
        ++found->second;
        ++total_;
    }
    std::uint64_t total() const { return total_; }
    void add_to(std::map<std::string, std::uint64_t>& out) const {
        for (const auto& [why, count] : counts_)
            out[why] += count;
    }

  private:
    std::map<std::string, std::uint64_t, std::less<>> counts_;
    std::uint64_t total_ = 0;
};

// For the live line: written by the shard, read by the main thread.
struct LoadProgress {
    Counter opened;
    Counter failed;
    Counter messages;
};

// Of one run.
struct RunBooks {
    std::uint64_t began_with = 0;           // connections
    std::uint64_t messages = 0, bytes = 0;  // in the time that counts
    std::uint64_t sent = 0, unsent = 0, lost = 0, corrupted = 0;
    Reasons closed;
    Reasons failed;
    Histogram rtt, send_lag;
};

struct LoadBooks {
    Time connect_began{}, connect_ended{};
    Reasons failed;  // to connect
    RunBooks run;    // the latest
};

}  // namespace millrace::bench
