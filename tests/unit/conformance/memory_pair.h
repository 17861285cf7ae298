#pragma once
// Two carriers in memory as a CarrierPair: what is sent arrives in one piece, so that a case's cuts are those
// that it makes.

#include "tests/unit/carrier/carrier_pair.h"
#include "tests/unit/endpoint/memory_carrier.h"

namespace millrace::conformance {

class MemoryPair {
  public:
    using Carrier = test::MemoryCarrier;

    explicit MemoryPair(const net::test::PairLimits& limits)
        : server_(limits.server_connections), client_(limits.client_connections) {
        for (Carrier* carrier : {&server_, &client_}) {
            carrier->piece = SIZE_MAX;
            carrier->send_limit = limits.send_limit;
        }
        Carrier::join(server_, client_);
    }

    Carrier& server() { return server_; }
    Carrier& client() { return client_; }
    net::SocketAddress listen() {
        (void)server_.listen({});
        return {};
    }
    net::SocketAddress closed_port() const { return {}; }
    Time next_time() { return now_ += 1us; }

  private:
    Carrier server_, client_;
    Time now_{1s};
};

static_assert(net::test::CarrierPair<MemoryPair>);

}  // namespace millrace::conformance
