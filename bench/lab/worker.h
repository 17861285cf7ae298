#pragma once
// One CPU's thread: it turns the loop of each shard that lives there. Shards that share a CPU take turns in
// one thread, so none waits for the scheduler to give it the CPU back.

#include <atomic>
#include <vector>

#include "bench/lab/client.h"
#include "bench/lab/server.h"

namespace millrace::bench {

struct Worker {
    unsigned cpu = 0;
    std::vector<ServerShard*> servers;
    std::vector<ClientShard*> clients;

    void run(const std::atomic<bool>& stop) {
        while (!stop.load(std::memory_order_relaxed)) {
            for (ServerShard* server : servers)
                server->iterate();
            for (ClientShard* client : clients)
                client->iterate();
        }
    }
};

}  // namespace millrace::bench
