#include "engine/run/signals.h"

#include <csignal>
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

}  // namespace

void block_end_signals() {
    const sigset_t set = end_signals();
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
}

bool wait_for_end_signal(Duration most) {
    const sigset_t set = end_signals();
    const timespec wait{.tv_sec = most / 1s, .tv_nsec = (most % 1s).count()};
    return sigtimedwait(&set, nullptr, &wait) > 0;
}

}  // namespace millrace
