#pragma once
// One client shard of the lab: an endpoint whose connections do what the stage that is on asks of them.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "bench/control/mailbox.h"
#include "bench/lab/carrier.h"
#include "bench/lab/churn.h"
#include "bench/lab/close.h"
#include "bench/lab/connect.h"
#include "bench/lab/echo.h"
#include "bench/lab/fanout.h"
#include "bench/lab/floor.h"
#include "bench/lab/hold.h"
#include "bench/lab/latency.h"
#include "bench/lab/order.h"
#include "bench/lab/report.h"
#include "bench/lab/scatter.h"
#include "bench/lab/talker.h"
#include "engine/endpoint/endpoint.h"
#include "netstack/base/clock.h"

namespace millrace::bench {

class ClientShard {
  public:
    struct Setup {
        const LabOptions& options;
        const Pattern& pattern;
        unsigned index;  // among the client's shards
        BareRing* ring;  // null: this shard takes no part in the floor's ping-pong
        net::SocketAddress server;
        FanoutBoard& fanout;
    };

    static Expected<std::unique_ptr<ClientShard>> create(LabCarrier& carrier, const EndpointConfig& config,
                                                         const Setup& setup);

    // One turn of the shard's loop.
    void iterate();

    // --- main thread ---
    Mailbox<Order>& mailbox() { return mailbox_; }
    const Progress& progress() const { return talker_.progress(); }
    // Until the next order, once the mailbox says that the last one is done:
    const Report& report() const { return report_; }  // after Order::kReport
    const Talker& talker() const { return talker_; }
    const ConnectStage& connect() const { return connect_; }
    const HoldStage& hold() const { return hold_; }
    const EchoStage& echo() const { return echo_; }
    const ScatterStage& scatter() const { return scatter_; }
    const LatencyStage& latency() const { return latency_; }
    const ChurnStage& churn() const { return churn_; }
    const CloseStage& close() const { return close_; }
    const FanoutStage& fanout() const { return fanout_; }
    const FloorStage& floor() const { return floor_; }

  private:
    friend class LabClient;

    ClientShard(LabCarrier& carrier, const Setup& setup);
    void obey(Order order, Time now);
    bool tick(Time now);

    TscClock clock_;
    StallMeter<ThreadCpuTime> stalls_;
    LabCarrier& carrier_;
    const std::uint64_t connections_;  // this shard's share
    std::unique_ptr<ClientEndpoint> endpoint_;
    Talker talker_;
    ConnectStage connect_;
    HoldStage hold_;
    EchoStage echo_;
    ScatterStage scatter_;
    LatencyStage latency_;
    ChurnStage churn_;
    CloseStage close_;
    FanoutStage fanout_;
    FloorStage floor_;
    BareRing* ring_;
    Order order_ = Order::kServe;
    bool idle_ = false;  // the latest turn found nothing to do
    Report report_;
    Mailbox<Order> mailbox_;
};

}  // namespace millrace::bench
