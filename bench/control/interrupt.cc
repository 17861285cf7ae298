#include "bench/control/interrupt.h"

#include <signal.h>
#include <unistd.h>

namespace millrace::bench {

namespace {

volatile sig_atomic_t interruptions = 0;

void on_signal(int signal) {
    if (interruptions != 0) ::_exit(128 + signal);
    interruptions = 1;
}

}  // namespace

void catch_interrupts() {
    struct sigaction action {};
    action.sa_handler = on_signal;
    ::sigaction(SIGINT, &action, nullptr);
    ::sigaction(SIGTERM, &action, nullptr);
}

bool interrupted() {
    return interruptions != 0;
}

}  // namespace millrace::bench
