#pragma once
// The lab's netstack: a cable, and a stack for each shard at either end of it. The server listens on one
// address and port; the client has as many addresses as its connections need ports.

#include <cstddef>
#include <memory>
#include <vector>

#include "bench/lab/carrier.h"
#include "bench/lab/options.h"
#include "engine/endpoint/config.h"
#include "netstack/port/cable.h"
#include "netstack/port/steering.h"

namespace millrace::bench {

class Ends {
  public:
    // EAL has been started with memory_mib().
    static Expected<Ends> create(const LabOptions& options);

    LabCarrier& server(unsigned shard) { return *servers_[shard]; }
    LabCarrier& client(unsigned shard) { return *clients_[shard]; }

    // What all packet pools take together.
    static std::size_t memory_mib(const LabOptions& options);
    static EndpointConfig endpoint_config();
    static net::SocketAddress server_address(const LabOptions& options);

  private:
    std::unique_ptr<net::Cable> cable_;
    // What every shard of an end must see (ARP); null where there is one shard.
    std::unique_ptr<net::Steering> server_steering_, client_steering_;
    std::vector<std::unique_ptr<LabCarrier>> servers_;
    std::vector<std::unique_ptr<LabCarrier>> clients_;
};

}  // namespace millrace::bench
