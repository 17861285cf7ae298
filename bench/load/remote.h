#pragma once
// A process that takes part in a load, at the other end of a link, as the leader sees it (wire.h,
// follower.h).

#include <sys/types.h>

#include <string>
#include <vector>

#include "bench/control/link.h"
#include "bench/load/member.h"
#include "netstack/base/error.h"

namespace millrace::bench {

// One of those who come along, before it has said anything.
struct Companion {
    std::string name;  // "process 2 of 4", "rank 3 of 4"
    Link link;
    pid_t pid = 0;  // where it is a child of this process
};

class RemoteMember : public LoadMember {
  public:
    explicit RemoteMember(Companion companion);
    ~RemoteMember() override;  // tells it to end

    // In this order, each once. They wait, and fail with a sentence.
    Expected<void> greet();
    void set_up(unsigned first_shard, unsigned shards);
    Expected<void> await_ready();

    void give(const LoadCommand& command) override;
    bool is_done() override;
    LoadCounts counts() const override { return counts_; }
    LoadTally tally() const override { return tally_; }
    std::string lost() const override { return lost_; }

    const std::string& name() const { return name_; }
    const std::vector<unsigned>& cores() const { return cores_; }
    // How well its clock is known.
    Duration clock_error() const { return clock_error_; }

  private:
    template <class Arrived>
    Expected<void> wait_for(Arrived arrived);
    Expected<void> compare_clocks();
    void hear_all();
    void hear(const nlohmann::json& message);
    std::string fate() const;

    const std::string name_;
    const pid_t pid_;
    Link link_;
    std::vector<unsigned> cores_;
    std::string failed_;
    bool greeted_ = false, ready_ = false;
    // Its clock less ours, and by how much that may be wrong; the latest answer about it.
    Duration clock_ahead_{}, clock_error_{};
    std::int64_t clock_number_ = 0, clock_answered_ = 0;
    Duration clock_said_{};
    std::uint64_t given_ = 0, done_ = 0;  // commands, by their number
    Duration heard_{}, spoken_{};
    LoadCounts counts_;
    LoadTally tally_;
    std::string lost_;
};

}  // namespace millrace::bench
