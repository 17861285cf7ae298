#pragma once
// One line at the bottom of a terminal, written anew; nothing at all where there is no terminal, so that
// logs and pipes stay clean.

#include <cstdio>
#include <string_view>

namespace millrace::bench {

class LiveLine {
  public:
    // On a terminal at standard error, which keeps standard output for results.
    LiveLine();
    ~LiveLine() { clear(); }
    LiveLine(const LiveLine&) = delete;
    LiveLine& operator=(const LiveLine&) = delete;

    bool on() const { return on_; }
    void show(std::string_view text);
    void clear();

  private:
    bool on_;
    bool shown_ = false;
};

}  // namespace millrace::bench
