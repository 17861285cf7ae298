#pragma once
// The lab's client application as the engine sees it. What it does is decided by the stage that is on: see
// client.h.

#include <cstdint>
#include <string_view>

#include "bench/lab/carrier.h"
#include "engine/endpoint/endpoint.h"

namespace millrace::bench {

class ClientShard;
class FanoutStage;
class LabClient;
class FanoutClient;
using ClientEndpoint = Endpoint<LabCarrier, LabClient, FanoutClient>;
using ClientSocket = WebSocket<ClientEndpoint, LabClient>;
using FanoutSocket = WebSocket<ClientEndpoint, FanoutClient>;

class LabClient {
  public:
    struct State {
        std::uint32_t said;   // messages sent, and so the next one's sequence number; kGone: it has ended
        std::uint32_t heard;  // echoes received, right or wrong
    };
    static constexpr std::uint32_t kGone = 0xffffffff;

    explicit LabClient(ClientShard& shard) : shard_(&shard) {}

    void on_open(ClientSocket& ws);
    void on_failed(net::ConnId id, std::string_view why);
    void on_message(ClientSocket& ws, const Message& message);
    void on_drain(ClientSocket& ws);
    void on_close(ClientSocket& ws, ws::CloseCode code, std::string_view reason);

  private:
    ClientShard* shard_;
};

// A subscriber of the fanout stage.
class FanoutClient {
  public:
    struct State {
        std::uint32_t number_plus_one;  // of the shard's subscribers
    };

    explicit FanoutClient(FanoutStage& stage) : stage_(&stage) {}

    void on_open(FanoutSocket& ws);
    void on_message(FanoutSocket& ws, const Message& message);
    void on_failed(net::ConnId id, std::string_view why);
    void on_close(FanoutSocket& ws, ws::CloseCode code, std::string_view reason);

  private:
    FanoutStage* stage_;
};

}  // namespace millrace::bench
