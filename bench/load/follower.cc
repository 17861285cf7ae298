#include "bench/load/follower.h"

#include <poll.h>

#include <cstdio>
#include <memory>

#include "bench/load/part.h"
#include "bench/load/squad.h"
#include "bench/load/wire.h"
#include "bench/result/commit.h"

namespace millrace::bench {

namespace {

using Json = nlohmann::json;

constexpr Duration kBetweenCounts = 250ms;
constexpr Duration kSilence = 20s;  // of the leader, who says something every second
constexpr int kPollMs = 5;

class Follower {
  public:
    Follower(LoadOptions options, Link link) : options_(std::move(options)), link_(std::move(link)) {}

    // False when the leader is gone.
    bool run();

  private:
    void obey(const Json& message);
    void set_up(const Json& message);
    void report();

    LoadOptions options_;
    Link link_;
    std::unique_ptr<LoadSquad> squad_;
    std::uint64_t number_ = 0;  // of the order that is on; 0: none
    Duration counted_{}, heard_{};
    bool begun_ = false;  // an order has come; from then on the leader is never silent for long
    bool over_ = false;
};

bool Follower::run() {
    link_.send({{"hello", {{"cores", options_.cores}, {"commit", kCommit}}}});
    while (!over_) {
        pollfd readable{.fd = link_.fd(), .events = POLLIN, .revents = 0};
        ::poll(&readable, 1, kPollMs);
        while (const auto message = link_.receive())
            obey(*message);
        if (!over_ && !link_.broken().empty()) return false;
        if (squad_ == nullptr) continue;
        report();
        if (begun_ && steady_now() - heard_ > kSilence) return false;
    }
    return true;
}

void Follower::obey(const Json& message) {
    heard_ = steady_now();
    if (message.contains("clock")) {
        link_.send({{"clock", message.at("clock")}, {"now", steady_now().count()}});
    } else if (message.contains("set_up")) {
        set_up(message.at("set_up"));
    } else if (message.contains("order")) {
        begun_ = true;
        message.at("number").get_to(number_);
        squad_->give(command_of(message.at("order")));
    } else if (message.contains("end")) {
        over_ = true;
    }
}

void Follower::set_up(const Json& message) {
    const auto shards = message.at("shards").get<unsigned>();
    make_room_for(options_, shards);
    auto squad = LoadSquad::set_up(options_, message.at("first_shard").get<unsigned>(), shards);
    if (!squad) return link_.send({{"failed", squad.error().message}});
    squad_ = std::move(*squad);
    link_.send({{"ready", true}});
}

void Follower::report() {
    if (number_ != 0 && squad_->is_done()) {
        link_.send({{"done", number_}, {"tally", to_wire(squad_->tally())}});
        number_ = 0;
    }
    if (steady_now() - counted_ < kBetweenCounts) return;
    counted_ = steady_now();
    link_.send({{"counts", to_wire(squad_->counts())}});
}

}  // namespace

int follow_load(LoadOptions options, Link link) {
    try {
        if (Follower(std::move(options), std::move(link)).run()) return 0;
        std::fputs("millrace-bench: the process that led the run is gone\n", stderr);
    } catch (const Json::exception& error) {
        std::fprintf(stderr, "millrace-bench: the process that led the run said %s\n", error.what());
    }
    return 3;
}

}  // namespace millrace::bench
