#pragma once
// Stage close: every connection is closed with a closing handshake, a bounded number under way at one time;
// what each of them held has then come back.

#include <cstdint>
#include <memory>
#include <span>

#include "bench/lab/talker.h"
#include "bench/result/result.h"

namespace millrace::bench {

// A client shard's part.
class CloseStage {
  public:
    void begin(Talker& talker, Time now);
    // True when every connection has ended, or does not.
    bool tick(Talker& talker, Time now);
    void on_close(ws::CloseCode code);

    std::uint64_t connections() const { return begun_; }
    std::uint64_t closed() const { return closed_; }
    Duration took() const { return ended_ - began_; }

  private:
    std::size_t next_ = 0;
    std::uint64_t begun_ = 0;
    std::uint64_t closed_ = 0;  // with the code that we gave
    Time began_{};
    Time ended_{};
    Patience patience_;
};

class ClientShard;

CloseResult close_result(std::span<const std::unique_ptr<ClientShard>> clients);

}  // namespace millrace::bench
