#pragma once
// SIGINT and SIGTERM, and SIGHUP where it means something, as a program that serves wants them: waited for by
// one thread, delivered to none.

#include <csignal>
#include <cstdint>

#include "netstack/base/time.h"

namespace millrace {

// Blocks SIGINT and SIGTERM for this thread and those that it starts from now on, and ignores SIGPIPE.
void block_end_signals();

// While it lives, threads that are started block every signal, so that none is delivered to them.
class SignalsBlocked {
  public:
    SignalsBlocked();
    ~SignalsBlocked();
    SignalsBlocked(const SignalsBlocked&) = delete;
    SignalsBlocked& operator=(const SignalsBlocked&) = delete;

  private:
    sigset_t before_;
};

// Waits for one of them; true when one came within `most`.
bool wait_for_end_signal(Duration most);

// The same with SIGHUP, for a program that has something to read again.
void block_reload_signal();
enum class Signal : std::uint8_t { kNone, kEnd, kReload };
Signal wait_for_signal(Duration most);

}  // namespace millrace
