#pragma once
// What one shard of a load counts, and how its results become one.

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "bench/timing/latencies.h"
#include "bench/timing/poll_meter.h"
#include "netstack/base/counter.h"
#include "netstack/base/time.h"

namespace millrace::bench {

// Reasons in words, each counted. What a peer can say is without end: those beyond the bound have a name
// together.
class Reasons {
  public:
    using Counts = std::map<std::string, std::uint64_t, std::less<>>;

    void add(std::string_view why, std::uint64_t times = 1) {
        constexpr std::size_t kMost = 32;
        auto found = counts_.find(why);
        if (found == counts_.end())
            found = counts_.emplace(counts_.size() < kMost ? why : "other reasons", 0).first;
        found->second += times;
        total_ += times;
    }
    void merge(const Reasons& other) {
        for (const auto& [why, count] : other.counts_)
            add(why, count);
    }
    std::uint64_t total() const { return total_; }
    const Counts& counts() const { return counts_; }

  private:
    Counts counts_;
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
    Duration began_late{};                  // after the time that was agreed on
    Duration measured{};                    // less than was asked for when the run ended before its time
    std::uint64_t began_with = 0;           // connections
    std::uint64_t messages = 0, bytes = 0;  // in the time that counts
    std::uint64_t sent = 0, unsent = 0, lost = 0, corrupted = 0;
    Reasons closed;
    Reasons failed;
    Latencies latencies;
    std::vector<PollTrace> polls;                   // one a shard
    std::map<std::string, std::uint64_t> counters;  // the carriers', by how much they grew

    void merge(const RunBooks& other) {
        began_late = std::max(began_late, other.began_late);
        measured = std::max(measured, other.measured);
        began_with += other.began_with;
        messages += other.messages;
        bytes += other.bytes;
        sent += other.sent;
        unsent += other.unsent;
        lost += other.lost;
        corrupted += other.corrupted;
        closed.merge(other.closed);
        failed.merge(other.failed);
        latencies.merge(other.latencies);
        polls.insert(polls.end(), other.polls.begin(), other.polls.end());
        for (const auto& [name, value] : other.counters)
            counters[name] += value;
    }
};

struct LoadBooks {
    Time connect_began{}, connect_ended{};
    Reasons failed;  // to connect
    RunBooks run;    // the latest
};

// The books of many shards as one, of whatever processes on whatever machines.
struct LoadTally {
    std::uint64_t opened = 0, failed = 0;  // connections, as they are now
    Duration connecting{};                 // the longest that one of the processes took
    Reasons failed_because;
    RunBooks run;

    void merge(const LoadTally& other) {
        opened += other.opened;
        failed += other.failed;
        connecting = std::max(connecting, other.connecting);
        failed_because.merge(other.failed_because);
        run.merge(other.run);
    }
};

}  // namespace millrace::bench
