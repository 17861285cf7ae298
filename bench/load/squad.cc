#include "bench/load/squad.h"

#include <algorithm>

#include "bench/load/limits.h"
#include "engine/client/dialer.h"
#include "engine/client/resolver.h"
#include "netstack/base/clock.h"

namespace millrace::bench {

LoadSquad::LoadSquad(const LoadOptions& options, unsigned first_shard, unsigned shards)
    : options_(options),
      plan_{.options = options,
            .address = {},
            .target = {},
            .shards = shards,
            .first_shard = first_shard,
            .rate = options.rate},
      desks_(options.cores.size()) {}

Expected<std::unique_ptr<LoadSquad>> LoadSquad::set_up(const LoadOptions& options, unsigned first_shard,
                                                       unsigned shards) {
    std::unique_ptr<LoadSquad> squad(new LoadSquad(options, first_shard, shards));
    if (auto aimed = squad->aim(); !aimed) return tl::unexpected(aimed.error());
    auto ground = lay_load_ground(squad->plan_, squad->desks_);
    if (!ground) return tl::unexpected(ground.error());
    squad->ground_ = std::move(*ground);
    for (LoadDesk& desk : squad->desks_)
        if (auto ready = desk.ready.get_future().get(); !ready) return tl::unexpected(ready.error());
    return squad;
}

// Where to connect to, and what to ask for there.
Expected<void> LoadSquad::aim() {
    auto dialer = client::Dialer::create(options_.url, options_.dial);
    if (!dialer) return tl::unexpected(dialer.error());
    if (dialer->start() == client::Dialer::Step::kResolve) {
        auto addresses = client::resolve(dialer->host(), dialer->port());
        if (!addresses) return tl::unexpected(addresses.error());
        dialer->resolved(std::move(*addresses));
    }
    plan_.address = dialer->address();
    plan_.target = dialer->target();
    return check_limits(options_, plan_);
}

void LoadSquad::give(const LoadCommand& command) {
    if (command.order != LoadOrder::kStop) {  // the shards may read the plan of what is on
        const Time now = TscClock().now();
        plan_.rate = command.rate;
        plan_.start = command.start == Duration{} ? now : now + (command.start - steady_now());
    }
    for (LoadDesk& desk : desks_)
        desk.mailbox.give(command.order);
}

bool LoadSquad::is_done() {
    return std::all_of(desks_.begin(), desks_.end(), [](LoadDesk& desk) { return desk.mailbox.is_done(); });
}

LoadCounts LoadSquad::counts() const {
    LoadCounts counts;
    for (const LoadDesk& desk : desks_) {
        counts.opened += desk.progress.opened.value();
        counts.failed += desk.progress.failed.value();
        counts.messages += desk.progress.messages.value();
    }
    return counts;
}

LoadTally LoadSquad::tally() const {
    LoadTally tally;
    Time began = kNever, ended{};
    for (const LoadDesk& desk : desks_) {
        tally.opened += desk.progress.opened.value();
        tally.failed += desk.progress.failed.value();
        tally.failed_because.merge(desk.books.failed);
        tally.run.merge(desk.books.run);
        began = std::min(began, desk.books.connect_began);
        ended = std::max(ended, desk.books.connect_ended);
    }
    tally.connecting = std::max(ended - began, Duration{});
    return tally;
}

}  // namespace millrace::bench
