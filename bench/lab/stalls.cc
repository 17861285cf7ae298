#include "bench/lab/stalls.h"

#include <time.h>

namespace millrace::bench {

Duration ThreadCpuTime::operator()() const {
    timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

}  // namespace millrace::bench
