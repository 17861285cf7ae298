#pragma once
// A receiver's side of a MoldUDP64 session: messages in order, each once. What is missing is asked for; what
// comes meanwhile waits, within a bound; what does not come in time is given up, counted and told. Sans-I/O:
// packets and the time come in, messages and requests go out.

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "engine/mold/moldudp64.h"
#include "netstack/base/time.h"

namespace millrace::mold {

struct SessionConfig {
    // The first message that is wanted; 0: the first that comes.
    std::uint64_t from = 0;
    bool request = true;               // there is somebody to be asked for what is missing
    Duration ask_again = 50ms;         // when no answer came
    unsigned asked_at_most = 5;        // for the same gap; then it is given up
    std::size_t max_held = 16u << 20;  // bytes of messages that wait behind a gap; then it is given up
};

class Receiver {
  public:
    struct Counters {
        std::uint64_t messages = 0;    // handed up
        std::uint64_t duplicates = 0;  // packets with nothing new
        std::uint64_t malformed = 0;   // packets
        std::uint64_t strange = 0;     // packets of another session
        std::uint64_t requests = 0;
        std::uint64_t lost = 0;  // messages given up
    };

    explicit Receiver(SessionConfig config = {}) : config_(config), next_(config.from) {}

    // One packet; each(sequence, message) is called for what is in order now.
    template <class Each>
    void take(std::span<const std::byte> packet, Time now, Each&& each) {
        if (accept(packet, now)) hand_up(each);
    }
    // Once a turn: gives up what has been waited for long enough.
    template <class Each>
    void turn(Time now, Each&& each) {
        if (overdue(now)) {
            give_up();
            hand_up(each);
        }
    }
    // What is to be asked for now, if anything: to be sent as a packet of its own (RequestPacket: the header
    // alone).
    std::optional<Header> request(Time now);

    // Of the next message in order; 0: nothing has come yet.
    std::uint64_t next() const { return next_; }
    bool in_gap() const { return next_ != 0 && highest_ > next_; }
    // The session's end was told, and all before it has come or was given up.
    bool ended() const { return end_ != 0 && next_ >= end_; }
    const Counters& counters() const { return counters_; }

  private:
    using Bytes = std::vector<std::byte>;

    bool accept(std::span<const std::byte> packet, Time now);
    bool overdue(Time now) const;
    void give_up();

    template <class Each>
    void hand_up(Each& each) {
        for (auto at = held_.begin(); at != held_.end() && at->first <= next_; at = held_.erase(at)) {
            held_bytes_ -= at->second.size();
            if (at->first < next_) continue;
            each(next_++, std::span<const std::byte>(at->second));
            ++counters_.messages;
            asked_ = 0;  // the gap has become another one
        }
    }

    SessionConfig config_;
    std::optional<Session> session_;
    std::uint64_t next_;
    std::uint64_t highest_ = 0;  // the number behind the last that is known to exist
    std::uint64_t end_ = 0;      // the same when the session has ended
    std::map<std::uint64_t, Bytes> held_;
    std::size_t held_bytes_ = 0;
    unsigned asked_ = 0;
    Time asked_at_{};
    Counters counters_;
};

}  // namespace millrace::mold
