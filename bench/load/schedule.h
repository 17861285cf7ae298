#pragma once
// An open loop's timetable: message k of the whole load is meant to leave at the beginning plus k times the
// interval, whatever became of those before it, and latency counts from then. The shards take turns, and
// within a shard its connections do: so a message's time follows from its connection and its sequence number,
// and is kept nowhere.

#include <cstdint>

#include "netstack/base/time.h"

namespace millrace::bench {

class Schedule {
  public:
    Schedule() = default;
    // `per_second`: of all shards together. `connections`: of this shard, at least 1.
    Schedule(Time begin, double per_second, unsigned shard, unsigned shards, std::uint32_t connections)
        : begin_(begin),
          interval_ns_(1e9 / per_second),
          shard_(shard),
          shards_(shards),
          connections_(connections) {}

    // When message `sequence` of the shard's connection `connection` is meant to leave.
    Time intended(std::uint32_t connection, std::uint64_t sequence) const {
        return time_of(sequence * connections_ + connection);
    }
    // The connection whose turn has come by `now` and has not been asked for before; false when none has.
    bool next(Time now, std::uint32_t& connection) {
        if (time_of(turns_) > now) return false;
        connection = static_cast<std::uint32_t>(turns_++ % connections_);
        return true;
    }
    // How many turns the connection has had.
    std::uint64_t due(std::uint32_t connection) const {
        return turns_ / connections_ + (turns_ % connections_ > connection ? 1 : 0);
    }
    std::uint64_t turns() const { return turns_; }

  private:
    Time time_of(std::uint64_t turn) const {
        const double ns = static_cast<double>(turn * shards_ + shard_) * interval_ns_;
        return begin_ + Duration(static_cast<std::int64_t>(ns));
    }

    Time begin_{};
    double interval_ns_ = 0;
    unsigned shard_ = 0, shards_ = 1;
    std::uint32_t connections_ = 1;
    std::uint64_t turns_ = 0;
};

}  // namespace millrace::bench
