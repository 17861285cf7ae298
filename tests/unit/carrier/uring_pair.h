#pragma once
// Two io_uring carriers on 127.0.0.1, or ::1, in one thread, by the machine's clock.

#include <chrono>
#include <memory>
#include <stdexcept>

#include "netstack/uring/uring_carrier.h"
#include "tests/unit/carrier/carrier_pair.h"

namespace millrace::net::test {

inline std::unique_ptr<UringCarrier> make_uring(const UringConfig& config) {
    auto carrier = UringCarrier::create(config);
    if (!carrier) throw std::runtime_error(carrier.error().message);
    return std::move(*carrier);
}

template <class Family>
class UringPairOf {
  public:
    using Carrier = UringCarrier;
    static constexpr IpAddress kLoopback = Family::kLoopback;

    explicit UringPairOf(const PairLimits& limits)
        : server_(
              make_uring({.max_connections = limits.server_connections, .send_limit = limits.send_limit})),
          client_(
              make_uring({.max_connections = limits.client_connections, .send_limit = limits.send_limit})) {}

    UringCarrier& server() { return *server_; }
    UringCarrier& client() { return *client_; }

    SocketAddress listen() {
        const SocketAddress address = listening_address();
        if (auto done = server_->listen(address); !done) throw std::runtime_error(done.error().message);
        return reached_at(address);
    }
    SocketAddress listening_address() const { return {kLoopback, 0}; }
    SocketAddress reached_at(SocketAddress) const { return server_->listening_on(); }

    // The kernel has just given this port away and taken it back: it is not soon given again.
    SocketAddress closed_port() {
        auto other = make_uring({.max_connections = 1});
        if (auto done = other->listen({kLoopback, 0}); !done) throw std::runtime_error(done.error().message);
        return other->listening_on();
    }

    Time next_time() { return Time{std::chrono::steady_clock::now() - start_}; }

  private:
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
    std::unique_ptr<UringCarrier> server_;
    std::unique_ptr<UringCarrier> client_;
};

struct LoopbackIpv4 {
    static constexpr IpAddress kLoopback = Ipv4{0x7f000001};
};
struct LoopbackIpv6 {
    static constexpr IpAddress kLoopback{0, 1};
};
using UringPair = UringPairOf<LoopbackIpv4>;
using UringPair6 = UringPairOf<LoopbackIpv6>;

static_assert(CarrierPair<UringPair> && CarrierPair<UringPair6>);

}  // namespace millrace::net::test
