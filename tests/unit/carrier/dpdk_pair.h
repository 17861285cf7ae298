#pragma once
// Two DPDK carriers joined by a cable, in one thread and in virtual time.

#include <memory>
#include <stdexcept>

#include "netstack/port/cable.h"
#include "netstack/stack/dpdk_carrier.h"
#include "tests/unit/carrier/carrier_pair.h"

namespace millrace::net::test {

template <class T>
T value_or_throw(Expected<T> made) {
    if (!made) throw std::runtime_error(made.error().message);
    return std::move(*made);
}

class DpdkPair {
  public:
    using Carrier = DpdkCarrier;

    explicit DpdkPair(const PairLimits& limits)
        : cable_(value_or_throw(Cable::create({}))),
          server_(make(kServer, limits.server_connections, limits.send_limit, cable_->a())),
          client_(make(kClient, limits.client_connections, limits.send_limit, cable_->b())) {}

    DpdkCarrier& server() { return *server_; }
    DpdkCarrier& client() { return *client_; }

    SocketAddress listen() {
        const SocketAddress address{kServer, 9001};
        if (auto done = server_->listen(address); !done) throw std::runtime_error(done.error().message);
        return address;
    }

    SocketAddress closed_port() const { return {kServer, 9002}; }

    // A turn takes this long: a thousand turns are more than a retransmission timeout.
    Time next_time() { return now_ += 500us; }

  private:
    static constexpr Ipv4 kServer{0x0a000001};
    static constexpr Ipv4 kClient{0x0a000002};

    static std::unique_ptr<DpdkCarrier> make(Ipv4 ip, std::size_t connections, std::uint32_t send_limit,
                                             Port& port) {
        StackConfig config;
        config.addresses = {{.first = ip}};
        config.tcp.max_connections = connections;
        config.tcp.send_limit = send_limit;
        return value_or_throw(DpdkCarrier::create(config, port, 0, nullptr));
    }

    Time now_{1s};
    std::unique_ptr<Cable> cable_;
    std::unique_ptr<DpdkCarrier> server_;
    std::unique_ptr<DpdkCarrier> client_;
};

static_assert(CarrierPair<DpdkPair>);

}  // namespace millrace::net::test
