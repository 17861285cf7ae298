#pragma once
// Whom a request comes from when a reverse proxy sent it on: X-Forwarded-For, or Forwarded (RFC 7239).
// Anybody can write these fields, so that each of their addresses is believed only if the one who wrote it
// down is trusted: the TCP peer for the last, the owner of the last for the one before it, and so on.

#include <cstdint>
#include <vector>

#include "engine/http/message.h"
#include "netstack/base/address.h"

namespace millrace::proxy {

struct ForwardedPolicy {
    std::vector<net::Cidr> trusted;  // proxies; empty: nobody, the fields are ignored
    // Only one of the two, since a proxy that writes one passes on what its client wrote into the other.
    bool rfc7239 = false;  // Forwarded instead of X-Forwarded-For
};

// The client's address, with port 0 where the proxy does not give one; `peer` if it is no trusted proxy.
net::SocketAddress client_address(const http::Request& request, net::SocketAddress peer,
                                  const ForwardedPolicy& policy);

}  // namespace millrace::proxy
