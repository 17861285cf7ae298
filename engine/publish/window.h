#pragma once
// What a publisher knows of what the server has taken. Messages are numbered from 1; an answer is asked for
// now and then, and one to number n speaks for all before it that were not refused. Sans-I/O.

#include <cstdint>

namespace millrace::publish {

class Window {
  public:
    static constexpr std::uint32_t kAskEvery = 64;
    static constexpr std::uint32_t kMost =
        1024;  // on their way: what a server that is full has to hold at most

    bool has_room() const { return unanswered() < kMost; }
    std::uint32_t next() const { return sent_ + 1; }
    // Whether the next message asks for an answer: every so many, when none follows it at once, and when
    // nothing more can be sent without one.
    bool asks(bool last_for_now) const {
        return last_for_now || next() % kAskEvery == 0 || unanswered() + 1 == kMost;
    }
    void sent() { ++sent_; }

    // An answer came: taken, or refused. False: to something that nobody waits for.
    bool answered(std::uint32_t number, bool refused) {
        if (number - answered_ - 1 >= unanswered()) return false;
        answered_ = number;
        refused_ += refused ? 1 : 0;
        return true;
    }

    std::uint32_t sent_count() const { return sent_; }
    std::uint32_t refused() const { return refused_; }
    std::uint32_t unanswered() const { return sent_ - answered_; }

  private:
    std::uint32_t sent_ = 0;      // numbers wrap, and so do their differences
    std::uint32_t answered_ = 0;  // the last that an answer spoke for
    std::uint32_t refused_ = 0;
};

}  // namespace millrace::publish
