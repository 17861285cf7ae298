#pragma once
// Names become addresses, on a thread of the control plane: getaddrinfo() blocks for as long as it likes,
// which a shard's loop cannot wait for.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "netstack/base/address.h"
#include "netstack/base/error.h"

namespace millrace::client {

using Addresses = std::vector<net::SocketAddress>;

// At least one address, in the order in which they are to be tried: as the system prefers them, the families
// in turn (RFC 8305 section 4), so that a broken one costs a single attempt. Blocks.
Expected<Addresses> resolve(const std::string& host, std::uint16_t port);

// `addresses` with the families in turn, beginning with the first one's.
Addresses interlaced(const Addresses& addresses);

// A thread that resolves for one shard. Its end does not wait for a look-up under way.
class Resolver {
  public:
    Resolver();
    ~Resolver();
    Resolver(const Resolver&) = delete;
    Resolver& operator=(const Resolver&) = delete;

    // The shard's side: one question at a time. False while one is under way.
    bool ask(std::string host, std::uint16_t port);
    // True when the answer has come.
    bool poll(Expected<Addresses>& answer);

  private:
    struct Shared;
    std::shared_ptr<Shared> shared_;
    bool asked_ = false;
};

}  // namespace millrace::client
