#pragma once
// Stage churn: connections that come and go, a bounded number under way at one time, each with a TCP and a
// WebSocket handshake, one verified echo, and the closing handshake. TIME-WAIT stays with the server, which
// gives its slots to new connections when it has no others.

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "bench/lab/talker.h"
#include "bench/result/result.h"

namespace millrace::bench {

struct LabOptions;

// A client shard's part.
class ChurnStage {
  public:
    // Slots that the stage needs beside those of the connections that are held: for what is under way, and
    // for the server's TIME-WAIT.
    static constexpr std::size_t kSlots = 16'384;

    ChurnStage(net::SocketAddress server, const LabOptions& options);

    void begin(Talker& talker, Time now);
    // True when the time is over and every connection has ended.
    bool tick(Talker& talker, Time now);
    void on_open(Talker& talker, ClientSocket& ws);
    void on_message(Talker& talker, ClientSocket& ws, const Message& message);
    void on_close(ClientSocket& ws, ws::CloseCode code);
    void on_failed(std::string_view why);

    std::uint64_t rounds() const { return counted_; }  // in the time that counts
    Duration measured() const { return measured_; }
    const std::map<std::string, std::uint64_t>& failures() const { return failures_; }
    std::uint64_t left() const { return left_; }  // connections that had not ended when patience had

  private:
    enum class Phase { kWarmUp, kMeasure, kFinish };

    void open_some(Talker& talker, Time now);

    const net::SocketAddress server_;
    const Duration warm_up_;
    const Duration duration_;

    Phase phase_ = Phase::kWarmUp;
    std::uint8_t target_ = 0;
    std::size_t held_ = 0;  // connections that are none of ours
    std::uint64_t under_way_ = 0;
    std::uint64_t rounds_ = 0;  // whole and right
    std::map<std::string, std::uint64_t> failures_;
    Time phase_began_{};
    Patience patience_;
    std::uint64_t counted_ = 0;
    Duration measured_{};
    std::uint64_t left_ = 0;
};

class ClientShard;

ChurnResult churn_result(std::span<const std::unique_ptr<ClientShard>> clients);

}  // namespace millrace::bench
