#pragma once
// The shards of this process: laid out, ordered about, and their books added up.

#include <memory>
#include <string>
#include <vector>

#include "bench/load/desk.h"
#include "bench/load/ground.h"
#include "bench/load/member.h"

namespace millrace::bench {

class LoadSquad : public LoadMember {
  public:
    // Resolves the server's name, asks what this machine allows, and starts the shards: those from
    // `first_shard` on among the `shards` of all processes. `options` outlives it.
    static Expected<std::unique_ptr<LoadSquad>> set_up(const LoadOptions& options, unsigned first_shard,
                                                       unsigned shards);

    void give(const LoadCommand& command) override;
    bool is_done() override;
    LoadCounts counts() const override;
    LoadTally tally() const override;
    std::string lost() const override { return {}; }

    std::string carrier() const { return ground_->carrier(); }
    std::string eal_arguments() const { return ground_->eal_arguments(); }

  private:
    LoadSquad(const LoadOptions& options, unsigned first_shard, unsigned shards);
    Expected<void> aim();

    const LoadOptions& options_;
    LoadPlan plan_;
    std::vector<LoadDesk> desks_;
    std::unique_ptr<LoadGround> ground_;
};

}  // namespace millrace::bench
