#pragma once
// One shard of a load, over any carrier: a client endpoint whose connections do what the stage that is on
// asks of them. The main thread gives the orders and reads the books (desk.h).
//
//     looping.h    orders and the loop
//     opening.h    connections are opened, at a rate, so many under way at one time
//     talking.h    messages leave, by answers or by the timetable, and what comes back is judged

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "bench/control/patience.h"
#include "bench/load/desk.h"
#include "bench/timing/latencies.h"
#include "bench/timing/open_loop.h"
#include "bench/timing/poll_meter.h"
#include "engine/endpoint/endpoint.h"
#include "netstack/base/clock.h"

namespace millrace::bench {

template <class C>
class LoadShard;

// The shard's application as its endpoint sees it.
template <class C>
class LoadClient {
  public:
    struct State {
        std::uint32_t place;  // among the shard's connections
        std::uint32_t said;   // messages sent, and so the next one's sequence number
        std::uint32_t heard;  // echoes received, right or wrong
        void start_over() { said = heard = 0; }
    };

    explicit LoadClient(LoadShard<C>& shard) : shard_(&shard) {}

    void on_open(auto& ws) { shard_->opened(ws); }
    void on_failed(net::ConnId, const OpeningFailure& failure) { shard_->not_opened(failure); }
    void on_message(auto& ws, const Message& message) { shard_->heard(ws, message); }
    void on_drain(auto& ws) { shard_->room_again(ws); }
    void on_close(auto& ws, ws::CloseCode code, std::string_view) { shard_->closed(ws, code); }

  private:
    LoadShard<C>* shard_;
};

template <class C>
class LoadShard {
  public:
    using EndpointType = Endpoint<C, LoadClient<C>>;
    using Socket = WebSocket<EndpointType, LoadClient<C>>;

    // What is given outlives it.
    static Expected<std::unique_ptr<LoadShard>> create(C& carrier, const LoadPlan& plan, unsigned index,
                                                       LoadDesk& desk);

    // One turn of the shard's loop.
    void iterate();

  private:
    friend class LoadClient<C>;

    static constexpr Duration kStopPatience = 1s;

    LoadShard(C& carrier, const LoadPlan& plan, unsigned index, LoadDesk& desk)
        : carrier_(carrier),
          plan_(plan),
          options_(plan.options),
          index_(index),
          desk_(desk),
          content_(plan.options.content) {}

    void obey(Time now);
    void stop(Time now);
    bool tick(Time now);

    // --- opening.h ---
    void begin_opening(Time now);
    bool go_on_opening(Time now);
    void open_some(Time now);
    void open_one(Time now);
    void opened(Socket& ws);
    void not_opened(const OpeningFailure& failure);
    void failed(std::string_view why);
    void closed(Socket& ws, ws::CloseCode code);

    // --- talking.h ---
    void begin_talking(Time now);
    void begin_open_loop();
    bool go_on_talking(Time now);
    void end_run();
    void start_some();
    bool keep_to_timetable(Time now);
    void catch_up(Socket& ws);
    SendStatus say(Socket& ws);
    void heard(Socket& ws, const Message& message);
    void count(std::size_t bytes);
    void room_again(Socket& ws);
    void round_ended(net::ConnId id);
    void subscribe(Socket& ws);
    bool in_time(Time t) const { return recorder_.counts(t); }
    Time& stamp(std::uint32_t place, std::uint32_t sequence) {
        return stamps_[place * options_.in_flight + sequence % options_.in_flight];
    }
    std::uint32_t number(std::uint32_t place) const {
        return static_cast<std::uint32_t>(place * plan_.shards + index_);
    }

    const TscClock clock_;
    C& carrier_;
    const LoadPlan& plan_;
    const LoadOptions& options_;
    const unsigned index_;
    LoadDesk& desk_;
    std::unique_ptr<EndpointType> endpoint_;
    Content content_;
    LoadOrder order_ = LoadOrder::kServe;
    std::uint8_t target_ = 0;
    std::vector<net::ConnId> open_;  // by place; kNoConn when it has been lost since
    std::size_t live_ = 0;           // of them
    Patience patience_;
    bool stopped_ = false;  // before its time: nothing is waited for long

    // Opening: of all attempts, those that were answered with a WebSocket or a failure.
    std::uint64_t tried_ = 0, answered_ = 0;
    Time opening_began_{};

    // Talking.
    Time begin_{};
    bool begun_ = false, sending_ = false;
    OpenLoop open_loop_;
    Recorder recorder_;
    PollMeter polls_;
    std::map<std::string, std::uint64_t> counters_then_;  // when the run began
    bool idle_ = false;                                   // the turn of the loop that is on
    std::vector<Time>
        stamps_;  // closed loop: when each message under way was sent; churn: of each slot, connect()
    std::size_t next_to_start_ = 0;
    std::uint64_t outstanding_ = 0;  // messages whose echo may still come
};

}  // namespace millrace::bench

#include "bench/load/looping.h"
#include "bench/load/opening.h"
#include "bench/load/talking.h"
