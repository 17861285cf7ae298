#pragma once
// Stage connect: real TCP and WebSocket handshakes, a bounded number under way at one time, and what a
// connection costs to keep.

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bench/lab/talker.h"
#include "bench/result/result.h"

namespace millrace::bench {

// A client shard's part.
class ConnectStage {
  public:
    ConnectStage(net::SocketAddress server, std::uint64_t connections)
        : server_(server), wanted_(connections) {}

    void begin(Talker& talker, Time now);
    // True when all have been opened or have failed.
    bool tick(Talker& talker, Time now);
    void on_open(Talker& talker);
    void on_failed(Talker& talker, std::string_view why);

    Time started() const { return started_; }
    Time finished() const { return finished_; }
    const std::map<std::string, std::uint64_t>& failures() const { return failures_; }
    // Connections a second, of each kMark in turn.
    static constexpr std::uint64_t kMark = 1'000'000;
    const std::vector<double>& rates() const { return rates_; }

  private:
    void open_some(Talker& talker, Time now);

    const net::SocketAddress server_;
    const std::uint64_t wanted_;
    std::uint8_t target_ = 0;
    std::uint64_t tried_ = 0;
    std::map<std::string, std::uint64_t> failures_;
    Patience patience_;
    Time started_{};
    Time finished_{};
    Time now_{};
    Time marked_at_{};
    std::vector<double> rates_;
};

class ClientShard;

// Handshakes, failures and times of all client shards; memory is the caller's to fill in.
ConnectResult connect_result(std::span<const std::unique_ptr<ClientShard>> clients);

}  // namespace millrace::bench
