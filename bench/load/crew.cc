#include "bench/load/crew.h"

#include <fmt/format.h>

#include <algorithm>

#include "bench/load/part.h"
#include "bench/result/table.h"

namespace millrace::bench {

Expected<std::unique_ptr<LoadCrew>> LoadCrew::set_up(LoadOptions& options,
                                                     std::vector<Companion> companions) {
    std::unique_ptr<LoadCrew> crew(new LoadCrew);
    crew->options_ = &options;
    auto shards = static_cast<unsigned>(options.cores.size());
    for (Companion& companion : companions) {
        crew->remotes_.push_back(std::make_unique<RemoteMember>(std::move(companion)));
        if (auto came = crew->remotes_.back()->greet(); !came) return tl::unexpected(came.error());
        shards += static_cast<unsigned>(crew->remotes_.back()->cores().size());
    }
    crew->told_.resize(crew->remotes_.size());
    if (options.connections < shards)
        return fail(
            fmt::format("{} connections cannot be shared among {} shards, one on each of the processes' "
                        "cores: give --connections {} or more",
                        with_commas(options.connections), shards, shards));
    auto first = static_cast<unsigned>(options.cores.size());
    for (const auto& remote : crew->remotes_) {
        remote->set_up(first, shards);
        first += static_cast<unsigned>(remote->cores().size());
    }
    make_room_for(options, shards);
    auto squad = LoadSquad::set_up(options, 0, shards);
    if (!squad) return tl::unexpected(squad.error());
    crew->squad_ = std::move(*squad);
    for (const auto& remote : crew->remotes_)
        if (auto ready = remote->await_ready(); !ready) return tl::unexpected(ready.error());
    return crew;
}

void LoadCrew::give(LoadOrder order, double rate) {
    // Long enough for the order to reach everybody.
    constexpr Duration kAhead = 50ms;
    const bool together = !remotes_.empty() && order == LoadOrder::kTalk;
    const LoadCommand command{
        .order = order, .rate = rate, .start = together ? steady_now() + kAhead : Duration{}};
    for (const auto& remote : remotes_)
        if (remote->lost().empty()) remote->give(command);
    squad_->give(command);
}

bool LoadCrew::is_done() {
    bool done = squad_->is_done();
    for (const auto& remote : remotes_)
        done &= remote->is_done();
    return done;
}

LoadCounts LoadCrew::counts() const {
    LoadCounts sum = squad_->counts();
    for (const auto& remote : remotes_) {
        const LoadCounts counts = remote->counts();
        sum.opened += counts.opened;
        sum.failed += counts.failed;
        sum.messages += counts.messages;
    }
    return sum;
}

LoadTally LoadCrew::tally() const {
    LoadTally sum = squad_->tally();
    for (const auto& remote : remotes_)
        if (remote->lost().empty()) sum.merge(remote->tally());
    return sum;
}

std::vector<std::string> LoadCrew::newly_lost() {
    std::vector<std::string> lost;
    for (std::size_t i = 0; i < remotes_.size(); ++i) {
        if (told_[i] || remotes_[i]->lost().empty()) continue;
        told_[i] = true;
        lost.push_back(fmt::format("{}: {}", remotes_[i]->name(), remotes_[i]->lost()));
    }
    return lost;
}

std::vector<unsigned> LoadCrew::cores() const {
    std::vector<unsigned> cores = options_->cores;
    for (const auto& remote : remotes_)
        cores.insert(cores.end(), remote->cores().begin(), remote->cores().end());
    return cores;
}

Duration LoadCrew::clock_error() const {
    Duration most{};
    for (const auto& remote : remotes_)
        most = std::max(most, remote->clock_error());
    return most;
}

}  // namespace millrace::bench
