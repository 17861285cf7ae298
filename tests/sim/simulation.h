#pragma once
// Two hosts, two cables and a clock: runs one scenario to its end and proves what must hold of every one:
//
// - the bytes of each stream arrive once and in order, or the connection ends with a reason that the scenario
//   allows;
// - conversations between live ends are over a stated time after the last disturbance;
// - in the end nothing is left: no connection, timer, block or mbuf;
// - in between, after every poll, what tests/sim/invariants.h says, and of every segment what
//   tests/sim/onlooker.h says.

#include <array>
#include <deque>
#include <functional>
#include <memory>
#include <queue>

#include "tests/sim/cable.h"
#include "tests/sim/host.h"
#include "tests/sim/onlooker.h"
#include "tests/sim/talker.h"
#include "tests/sim/trace.h"

namespace millrace::sim {

// What came of the connections of one simulation, or of many.
struct Tally {
    std::array<std::uint64_t, 8> outcomes{};  // by Outcome, each end counted
    std::array<std::uint64_t, 8> reasons{};   // of kFailed, by CloseReason
    std::uint64_t frames = 0, bytes = 0;
    std::uint64_t watched = 0;  // segments that the onlooker could judge
    void add(const Talker& talker);
};

class Simulation {
  public:
    Simulation(const Scenario& scenario, PoolCache& pools, Trace& trace);

    // Throws Failure.
    void run();
    void add_to(Tally& tally) const;

  private:
    struct Conversation {
        Conversation(const ConversationPlan& its, const Scenario& scenario, std::uint64_t number)
            : plan(its),
              attempts(its.attempts),
              talkers{Talker(its.talkers[0], its.talkers[1], scenario, number * 2, number * 2 + 1),
                      Talker(its.talkers[1], its.talkers[0], scenario, number * 2 + 1, number * 2)} {
            talkers[0].other = &talkers[1];
            talkers[1].other = &talkers[0];
        }
        const ConversationPlan& plan;
        unsigned attempts;
        net::SocketAddress opener_end;
        std::uint64_t opened = 0;  // the how manieth of all openings
        Talker talkers[2];         // the opener's, the other's
    };

    struct Appointment {
        Duration at;
        std::uint64_t order;
        std::function<void()> what;
        bool operator<(const Appointment& other) const {
            return at != other.at ? at > other.at : order > other.order;
        }
    };

    void schedule(Duration at, std::function<void()> what);
    void schedule_troubles();
    void set_epochs();
    void open(Conversation& conversation, unsigned tries_left);
    void reopen_if_failed(Conversation& conversation);
    void reboot(unsigned host);
    void give_up_the_dead();

    Duration next_poll(unsigned host) const;
    void poll(unsigned host);
    void handle(unsigned host, net::Stack::Event& event);
    void accepted(unsigned host, net::ConnId id);
    void transmit(unsigned host);
    void put(unsigned host, Bytes& frame);
    void too_long(unsigned sender, std::span<const std::byte> frame);
    void check(unsigned host);
    void check_outcome(const Conversation& conversation, unsigned which) const;
    void check_empty(Host& host) const;
    bool all_over() const;

    const Scenario& scenario_;
    Trace& trace_;
    Duration now_{};
    // Talkers keep received mbufs: they go before the hosts.
    std::array<std::unique_ptr<Host>, 2> hosts_;
    std::array<Cable, 2> cables_;
    Onlooker onlooker_;
    std::deque<Conversation> conversations_;
    std::vector<net::ConnId> ghosts_;  // of the poll at hand
    std::priority_queue<Appointment> appointments_;
    std::uint64_t appointments_made_ = 0;
    std::uint64_t openings_ = 0;
};

}  // namespace millrace::sim
