#pragma once
// Stage hold: once all connections are up, each in a random order echoes one message. A connection that was
// lost, or whose bytes come back wrong, shows here. Then they are held, for pings to go over all of them.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "bench/lab/talker.h"
#include "bench/result/result.h"

namespace millrace::bench {

// A client shard's part.
class HoldStage {
  public:
    // `hold_for`: how long all are held once they have answered.
    HoldStage(std::uint64_t seed, Duration hold_for) : seed_(seed), hold_for_(hold_for) {}

    void begin(Talker& talker, Time now);
    // True when every connection has answered, or is lost, and has been held.
    bool tick(Talker& talker, Time now);
    void on_message(Talker& talker, ClientSocket& ws, const Message& message);

    std::uint64_t connections() const { return connections_; }
    std::uint64_t verified() const { return verified_; }

  private:
    const std::uint64_t seed_;
    const Duration hold_for_;
    std::uint64_t connections_ = 0;
    std::uint64_t next_ = 0;
    std::optional<Time> held_since_;
    std::uint64_t verified_ = 0;
    Patience patience_;
};

class ClientShard;

HoldResult hold_result(std::span<const std::unique_ptr<ClientShard>> clients);

}  // namespace millrace::bench
