#pragma once
// What holds of a Tcp between two polls, whatever arrives: looked at from inside, after every flush() that
// left nothing behind.

#include <optional>
#include <string>
#include <vector>

#include "netstack/tcp/tcp.h"

namespace millrace::tcp {

class Inspector {
  public:
    explicit Inspector(const Tcp& tcp) : tcp_(&tcp) {}

    // What is wrong, in words; empty when nothing is.
    std::string check();
    // A connection's state in a line, for messages.
    std::string describe(net::ConnId id) const;

    // The local end that the next connect() to `remote` would choose.
    static std::optional<SocketAddress> next_local(Tcp& tcp, SocketAddress remote);

  private:
    // What a slot's connection looked like last time: marks that may only move forward.
    struct Marks {
        State state = State::kFree;
        SocketAddress remote, local;
        Seq snd_una, snd_nxt, rcv_nxt, rcv_adv;
    };
    // Recounts over all slots.
    struct Sums {
        std::size_t in_use = 0, withdrawn = 0, half_open = 0, time_wait = 0, timers = 0, send_queues = 0,
                    reassemblies = 0, held = 0, dirty = 0, ready = 0;
    };

    void check_slot(std::uint32_t slot, Sums& sums);
    void check_connection(std::uint32_t slot, const Connection& c);
    void check_marks(std::uint32_t slot, const Connection& c);
    void check_timers(const Connection& c);
    void check_send_queue(const Connection& c);
    void check_reassembly(const Connection& c, Sums& sums);
    void check_sums(const Sums& sums);
    void check_time_wait_list(const Sums& sums);

    const Tcp* tcp_;
    std::vector<Marks> marks_;
};

}  // namespace millrace::tcp
