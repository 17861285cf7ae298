#pragma once
// The few direct system calls on sockets, all of them once a connection or a listener, never once a message.

#include <netinet/in.h>

#include <cstdint>

#include "netstack/base/address.h"
#include "netstack/base/error.h"
#include "netstack/base/time.h"
#include "netstack/carrier.h"

namespace millrace::net::uring {

// A socket address of either family as the kernel has it.
struct KernelAddress {
    union {
        sockaddr any;
        sockaddr_in v4;
        sockaddr_in6 v6;
    };
    socklen_t length;
};

KernelAddress to_kernel(const SocketAddress& address);
SocketAddress from_kernel(const KernelAddress& address);

// The reason a connection ends for when the kernel reports `error` (a positive errno).
CloseReason reason_of(int error);
// No descriptors or memory: a bound of the process or the machine, not the peer's doing.
bool is_exhaustion(int error);

// How long the kernel waits for a peer that says nothing; zeros: as it is configured. The same words as in
// tcp::Config.
struct Patience {
    Duration keep_alive{};
    Duration keep_alive_interval{};
    std::uint8_t keep_alive_probes = 0;
    Duration user_timeout{};
};

// A listening TCP socket; the error names the address and what to do. `::` is for IPv6 alone, so that the
// same list of addresses means the same on both carriers.
// `patience` is for the connections that it accepts.
Expected<int> open_listener(const SocketAddress& address, bool share_port, int backlog,
                            const Patience& patience = {});

// A TCP socket of `remote`'s family to connect with, or -errno. `source` (unspecified: the kernel chooses) is
// bound without a port, so that each source address has all ports.
int open_client(const IpAddress& remote, const IpAddress& source, const Patience& patience);

SocketAddress local_address(int fd);
SocketAddress peer_address(int fd);

// Makes the coming close() send RST and drop what is unsent (SO_LINGER 0). False if the kernel refused.
bool reset_on_close(int fd);
// Sends FIN behind what the kernel holds. A direct call: IORING_OP_SHUTDOWN always takes a worker thread.
void finish_sending(int fd);

}  // namespace millrace::net::uring
