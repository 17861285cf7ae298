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

// kServer and kClient name the ends in the family that is tested.
template <class Family>
class DpdkPairOf {
  public:
    using Carrier = DpdkCarrier;

    explicit DpdkPairOf(const PairLimits& limits)
        : cable_(value_or_throw(Cable::create({}))),
          server_(make(Family::kServer, limits.server_connections, limits.send_limit, cable_->a())),
          client_(make(Family::kClient, limits.client_connections, limits.send_limit, cable_->b())) {}

    DpdkCarrier& server() { return *server_; }
    DpdkCarrier& client() { return *client_; }

    SocketAddress listen() {
        const SocketAddress address = listening_address();
        if (auto done = server_->listen(address); !done) throw std::runtime_error(done.error().message);
        return reached_at(address);
    }
    SocketAddress listening_address() const { return {Family::kServer, 9001}; }
    SocketAddress reached_at(SocketAddress address) const { return address; }

    SocketAddress closed_port() const { return {Family::kServer, 9002}; }

    // A turn takes this long: a thousand turns are more than a retransmission timeout.
    Time next_time() { return now_ += 500us; }

  private:
    static std::unique_ptr<DpdkCarrier> make(const IpAddress& ip, std::size_t connections,
                                             std::uint32_t send_limit, Port& port) {
        StackConfig config;
        config.addresses = {{.first = ip, .prefix = Family::kPrefix}};
        config.neighbours.tentative = {};
        config.tcp.max_connections = connections;
        config.tcp.send_limit = send_limit;
        return value_or_throw(DpdkCarrier::create(config, port, 0, nullptr));
    }

    Time now_{1s};
    std::unique_ptr<Cable> cable_;
    std::unique_ptr<DpdkCarrier> server_;
    std::unique_ptr<DpdkCarrier> client_;
};

struct CableIpv4 {
    static constexpr IpAddress kServer = Ipv4{0x0a000001};
    static constexpr IpAddress kClient = Ipv4{0x0a000002};
    static constexpr std::uint8_t kPrefix = 24;
};
struct CableIpv6 {
    static constexpr IpAddress kServer{0x20010db800000000, 1};
    static constexpr IpAddress kClient{0x20010db800000000, 2};
    static constexpr std::uint8_t kPrefix = 64;
};
using DpdkPair = DpdkPairOf<CableIpv4>;
using DpdkPair6 = DpdkPairOf<CableIpv6>;

static_assert(CarrierPair<DpdkPair> && CarrierPair<DpdkPair6>);

}  // namespace millrace::net::test
