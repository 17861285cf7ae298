#include "engine/run/server_uring.h"

#include <pthread.h>
#include <sched.h>

namespace millrace {

net::UringConfig uring_config(const GroundOptions& options) {
    net::UringConfig config;
    config.max_connections = options.max_connections;
    config.send_limit = carrier_send_limit(options.endpoint);
    config.patience = {.keep_alive = options.keep_alive,
                       .keep_alive_interval = options.keep_alive / kKeepAliveProbes,
                       .keep_alive_probes = kKeepAliveProbes,
                       .user_timeout = options.user_timeout};
    config.share_port = options.cores.size() > 1;
    return config;
}

void pin_to_cpu(unsigned cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

}  // namespace millrace
