#include "engine/run/signals.h"

#include <ctime>

namespace millrace {
namespace {

sigset_t end_signals() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    return set;
}

sigset_t reload_signals() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    return set;
}

}  // namespace

void block_end_signals() {
    const sigset_t set = end_signals();
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
}

SignalsBlocked::SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
}

SignalsBlocked::~SignalsBlocked() {
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

bool wait_for_end_signal(Duration most) {
    return wait_for_signal(most) == Signal::kEnd;
}

void block_reload_signal() {
    const sigset_t set = reload_signals();
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

// SIGHUP is not blocked, and ends the program, where block_reload_signal() was not called.
Signal wait_for_signal(Duration most) {
    sigset_t set = end_signals();
    sigaddset(&set, SIGHUP);
    const timespec wait{.tv_sec = most / 1s, .tv_nsec = (most % 1s).count()};
    const int signal = sigtimedwait(&set, nullptr, &wait);
    if (signal <= 0) return Signal::kNone;
    return signal == SIGHUP ? Signal::kReload : Signal::kEnd;
}

}  // namespace millrace
