#pragma once
// The messages of an open loop: those that are due and not sent yet, because their connection had no room,
// and those that were sent and not answered. Each knows when it was meant to leave and when it did. It is
// told the time and does no I/O, so that tests run it in virtual time.

#include <cstdint>
#include <vector>

#include "bench/timing/schedule.h"

namespace millrace::bench {

class OpenLoop {
  public:
    struct Message {
        Time intended{}, sent{};
    };

    OpenLoop() = default;
    // `most`: due and under way at one time, of all connections. What is due when there are so many waits,
    // and so do those behind it; their times stay what they were.
    OpenLoop(const Schedule::Setup& setup, std::size_t most)
        : schedule_(setup), lines_(setup.connections), messages_(most) {
        for (std::size_t i = 0; i < most; ++i)
            messages_[i].next = static_cast<std::uint32_t>(i + 1);
        if (most != 0) {
            messages_.back().next = kNone;
            free_ = 0;
        }
    }

    // The connection that has one message more to send by `now`; false when there is none.
    bool next(Time now, std::uint32_t& connection) {
        Schedule::Turn turn;
        while (free_ != kNone && schedule_.next(now, turn)) {
            Line& line = lines_[turn.connection];
            if (line.gone) continue;
            append(line, turn.intended);
            connection = turn.connection;
            return true;
        }
        return false;
    }
    bool has_unsent(std::uint32_t connection) const { return lines_[connection].unsent != kNone; }
    // The connection's oldest unsent message was sent: when it was meant to be.
    Time sent(std::uint32_t connection, Time at) {
        Line& line = lines_[connection];
        Place& place = messages_[line.unsent];
        line.unsent = place.next;
        place.message.sent = at;
        ++sent_;
        return place.message.intended;
    }
    // The connection's oldest message is answered, which was sent.
    Message answered(std::uint32_t connection) {
        Line& line = lines_[connection];
        const Message message = messages_[line.oldest].message;
        drop_oldest(line);
        return message;
    }
    // The connection has ended, and its messages with it. It still has its turns: they are not sent.
    void gone(std::uint32_t connection) {
        Line& line = lines_[connection];
        while (line.oldest != kNone)
            drop_oldest(line);
        line.unsent = kNone;
        line.gone = true;
    }
    // How many of those that were due before `until` have not been sent. Nothing is due after this.
    std::uint64_t unsent(Time until) {
        Schedule::Turn turn;
        while (schedule_.next(until - Duration(1), turn)) {
        }
        return schedule_.turns() - sent_;
    }

  private:
    static constexpr std::uint32_t kNone = ~std::uint32_t{0};

    // A connection's messages, in order: oldest ... unsent ... newest.
    struct Line {
        std::uint32_t oldest = kNone, unsent = kNone, newest = kNone;
        bool gone = false;
    };
    struct Place {
        Message message;
        std::uint32_t next = kNone;
    };

    void append(Line& line, Time intended) {
        const std::uint32_t at = free_;
        free_ = messages_[at].next;
        messages_[at] = {.message = {.intended = intended}};
        if (line.oldest == kNone)
            line.oldest = at;
        else
            messages_[line.newest].next = at;
        if (line.unsent == kNone) line.unsent = at;
        line.newest = at;
    }
    void drop_oldest(Line& line) {
        const std::uint32_t at = line.oldest;
        line.oldest = messages_[at].next;
        messages_[at].next = free_;
        free_ = at;
    }

    Schedule schedule_;
    std::vector<Line> lines_;
    std::vector<Place> messages_;
    std::uint32_t free_ = kNone;
    std::uint64_t sent_ = 0;
};

}  // namespace millrace::bench
