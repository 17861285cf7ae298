#pragma once
// Stage hold: once all connections are up, each in a random order echoes one message. A connection that was
// lost, or whose bytes come back wrong, shows here.

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "bench/lab/talker.h"
#include "bench/result/result.h"

namespace millrace::bench {

// A client shard's part.
class HoldStage {
  public:
    explicit HoldStage(std::uint64_t seed) : seed_(seed) {}

    void begin(Talker& talker, Time now);
    // True when every connection has answered, or is lost.
    bool tick(Talker& talker, Time now);
    void on_message(Talker& talker, ClientSocket& ws, const Message& message);

    std::uint64_t connections() const { return order_.size(); }
    std::uint64_t verified() const { return verified_; }

  private:
    std::uint64_t seed_;
    std::vector<std::uint32_t> order_;
    std::size_t next_ = 0;
    std::uint64_t verified_ = 0;
    Patience patience_;
};

class ClientShard;

HoldResult hold_result(std::span<const std::unique_ptr<ClientShard>> clients);

}  // namespace millrace::bench
