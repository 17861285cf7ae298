#pragma once
// All processes of a load, led by this one: they are given orders together, and their books become one.

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "bench/load/remote.h"
#include "bench/load/squad.h"

namespace millrace::bench {

class LoadCrew {
  public:
    // Waits for the companions, numbers everybody's shards, and sets all up. `options`, this process' part
    // (part.h), outlives it.
    static Expected<std::unique_ptr<LoadCrew>> set_up(LoadOptions& options,
                                                      std::vector<Companion> companions);

    // The run begins everywhere at the same time, a little later; stopping, at once.
    void give(LoadOrder order, double rate);
    // Those who have been lost since are not waited for.
    bool is_done();

    LoadCounts counts() const;
    LoadTally tally() const;  // of those who are left
    // "rank 2 of 4: it ended", of those who were lost since this was last asked.
    std::vector<std::string> newly_lost();

    std::size_t processes() const { return 1 + remotes_.size(); }
    const LoadSquad& here() const { return *squad_; }
    std::vector<unsigned> cores() const;
    // How far apart the processes' clocks may make the beginning of a run.
    Duration clock_error() const;

  private:
    LoadCrew() = default;

    LoadOptions* options_ = nullptr;
    std::unique_ptr<LoadSquad> squad_;
    std::vector<std::unique_ptr<RemoteMember>>
        remotes_;  // whoever is lost is told of once, and no more counted
    std::vector<bool> told_;
};

}  // namespace millrace::bench
