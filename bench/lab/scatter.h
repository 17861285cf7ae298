#pragma once
// Stage scatter: what it costs that a server's connections do not fit its caches. As many messages are always
// under way as in the echo stage, each on a connection picked at random: in turns among all connections, and
// among the few of the echo stage, so that both figures are of the same minutes of the same machine.

#include <array>
#include <cstdint>
#include <memory>
#include <random>
#include <span>

#include "bench/lab/talker.h"
#include "bench/result/result.h"

namespace millrace::bench {

struct LabOptions;

// A client shard's part.
class ScatterStage {
  public:
    ScatterStage(const LabOptions& options, std::uint64_t few, std::uint64_t seed);

    void begin(Talker& talker, Time now);
    // True when the time is over and every message has come back, or is lost.
    bool tick(Talker& talker, Time now);
    void on_message(Talker& talker, ClientSocket& ws, const Message& message);

    struct Sum {
        std::uint64_t messages = 0;
        Duration time{};
    };
    const Sum& among_all() const { return sums_[0]; }
    const Sum& among_few() const { return sums_[1]; }
    std::uint64_t few() const { return few_; }
    std::uint64_t corrupted() const { return corrupted_; }
    std::uint64_t lost() const { return lost_; }

  private:
    // Picked so many messages ahead, and fetched half way there.
    static constexpr std::size_t kAhead = 64;

    std::uint32_t pick();
    void pick_ahead(Talker& talker);
    void say_next(Talker& talker);
    void turn_over(Talker& talker, Time now);

    const std::uint64_t few_;
    const std::uint64_t under_way_;
    const Duration duration_;
    const Duration slice_;

    std::minstd_rand random_;
    std::uint64_t all_ = 0;
    std::array<std::uint32_t, kAhead> ahead_{};
    std::size_t next_ = 0;
    std::uint64_t missing_ = 0;  // messages that should be under way and are not
    unsigned slices_ = 0;
    bool settled_ = false;  // what was under way when the slice began has come back
    bool finishing_ = false;
    Time began_{};
    Time slice_began_{};
    std::uint64_t verified_ = 0;
    std::array<Sum, 2> sums_{};
    Patience patience_;
    std::uint64_t corrupted_ = 0;
    std::uint64_t lost_ = 0;
};

class ClientShard;

ScatterResult scatter_result(std::span<const std::unique_ptr<ClientShard>> clients);

}  // namespace millrace::bench
