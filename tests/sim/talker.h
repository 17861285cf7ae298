#pragma once
// One application's part in one connection: it writes its stream, checks the other's byte by byte, dawdles,
// keeps mbufs, and ends as its plan says.

#include <deque>
#include <optional>

#include "tests/sim/host.h"
#include "tests/sim/random.h"
#include "tests/sim/stream.h"

namespace millrace::sim {

enum class Phase : std::uint8_t { kUnborn, kOpening, kOpen, kOver };

// How it ended for this application.
enum class Outcome : std::uint8_t {
    kNone,
    kFinished,
    kFailed,    // kClosed with another reason
    kAborted,   // by its own plan
    kRebooted,  // its host
    kIdle,      // it gave up a peer that is gone
    kNoSlot,    // connect() found nothing free
};

class Talker {
  public:
    // `number` is its own alone; `peer` and the peer's name the stream that it receives.
    Talker(const TalkerPlan& plan, const TalkerPlan& peers, const Scenario& scenario, std::uint64_t number,
           std::uint64_t peer)
        : plan_(plan),
          calm_(scenario.calm),
          random_(scenario.seed, "talker", number),
          out_(plan.broadcast != 0 ? kBroadcast : number),
          in_(peers.broadcast != 0 ? kBroadcast : peer) {
        draw_pause();
    }

    void begin(Host& host, net::ConnId id, Phase phase);
    // Of this connection.
    void handle(net::Stack::Event& event, Duration now);
    void act(Duration now);
    // When it wants to act again by itself.
    std::optional<Duration> next() const;
    void end(Outcome outcome);  // its slot is not its own any more
    void never_opened() {
        phase_ = Phase::kOver;
        outcome_ = Outcome::kNoSlot;
    }

    Phase phase() const { return phase_; }
    Outcome outcome() const { return outcome_; }
    net::CloseReason reason() const { return reason_; }
    bool alive() const { return phase_ == Phase::kOpening || phase_ == Phase::kOpen; }
    net::ConnId id() const { return id_; }
    Host& host() const { return *host_; }
    std::uint64_t sent() const { return sent_; }
    std::uint64_t received() const { return received_; }
    bool peer_closed() const { return peer_closed_; }
    bool closed() const { return closed_; }
    const TalkerPlan& plan() const { return plan_; }
    std::string describe() const;
    void drop_kept() { kept_.clear(); }

    // The peer's, for what must hold between the two.
    const Talker* other = nullptr;

  private:
    static constexpr std::uint64_t kBroadcast = 1'000'000;  // the number of its stream

    struct Kept {
        tcp::MbufBytes bytes;
        std::uint64_t position;
        Duration until;
    };

    void received(tcp::MbufBytes bytes, Duration now);
    void write(Duration now);
    bool append(std::size_t size);
    bool append_reference(const tcp::Shared& shared, std::size_t size);
    bool append_in_place(std::size_t size);
    void pause(Duration now);
    void resume();
    void draw_pause();
    bool may_close() const;
    bool should_abort() const;
    void release_kept(Duration now);

    const TalkerPlan& plan_;
    Duration calm_;
    Random random_;
    Stream out_, in_;
    Host* host_ = nullptr;
    net::ConnId id_ = net::kNoConn;
    Phase phase_ = Phase::kUnborn;
    Outcome outcome_ = Outcome::kNone;
    net::CloseReason reason_{};
    std::uint64_t sent_ = 0, received_ = 0;
    bool writable_ = true;
    bool peer_closed_ = false, closed_ = false;
    Duration next_write_{};
    unsigned pauses_ = 0;
    std::uint64_t pause_at_ = 0;  // bytes received
    bool paused_ = false;
    Duration paused_at_{};
    std::optional<Duration> resume_at_;
    std::optional<Time> timer_;
    std::deque<Kept> kept_;
};

}  // namespace millrace::sim
