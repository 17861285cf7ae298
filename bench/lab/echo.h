#pragma once
// Stage echo: how many messages a second go there and back, when each connection always has the same number
// under way. Every payload is verified by both ends.

#include <cstdint>
#include <memory>
#include <span>

#include "bench/lab/talker.h"
#include "bench/result/result.h"

namespace millrace::bench {

struct LabOptions;

// A client shard's part.
class EchoStage {
  public:
    EchoStage(const LabOptions& options, std::uint64_t connections);

    void begin(Talker& talker, Time now);
    // True when the time is over and every message has come back, or is lost.
    bool tick(Talker& talker, Time now);
    void on_message(Talker& talker, ClientSocket& ws, const Message& message);
    void on_drain(Talker& talker, ClientSocket& ws);

    std::uint64_t connections() const { return connections_; }
    std::uint64_t messages() const { return messages_; }  // verified in the time that counts
    Duration measured() const { return measured_; }
    std::uint64_t segments() const { return segments_; }  // sent in the time that counts
    // Of the whole stage, warm-up included:
    std::uint64_t verified_bytes() const { return verified_bytes_; }
    std::uint64_t corrupted() const { return corrupted_; }
    std::uint64_t lost() const { return lost_; }

  private:
    enum class Phase { kWarmUp, kMeasure, kFinish };

    void fill_up(Talker& talker, ClientSocket& ws);
    void start_some(Talker& talker);
    void begin_measuring(Talker& talker, Time now);
    void end_measuring(Talker& talker, Time now);

    const std::uint64_t connections_;
    const std::uint32_t in_flight_;
    const Duration warm_up_;
    const Duration duration_;

    Phase phase_ = Phase::kWarmUp;
    std::size_t next_to_start_ = 0;
    Time phase_began_{};
    Patience patience_;
    std::uint64_t messages_ = 0;
    Duration measured_{};
    std::uint64_t segments_ = 0;
    std::uint64_t verified_bytes_ = 0;
    std::uint64_t corrupted_ = 0;
    std::uint64_t lost_ = 0;
};

class ClientShard;

// All but the server's own count of verified bytes.
EchoResult echo_result(const LabOptions& options, std::span<const std::unique_ptr<ClientShard>> clients);

}  // namespace millrace::bench
