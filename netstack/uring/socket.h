#pragma once
// The few direct system calls on sockets, all of them once a connection or a listener, never once a message.

#include <netinet/in.h>

#include <cstdint>

#include "netstack/base/address.h"
#include "netstack/base/error.h"
#include "netstack/carrier.h"

namespace millrace::net::uring {

sockaddr_in to_sockaddr(SocketAddress address);
SocketAddress from_sockaddr(const sockaddr_in& address);

// The reason a connection ends for when the kernel reports `error` (a positive errno).
CloseReason reason_of(int error);
// No descriptors or memory: a bound of the process or the machine, not the peer's doing.
bool is_exhaustion(int error);

// A listening TCP socket; the error names the address and what to do.
Expected<int> open_listener(SocketAddress address, bool share_port, int backlog);

// A TCP socket to connect with, or -errno. `source` (0.0.0.0: the kernel chooses) is bound without a port, so
// that each source address has all ports.
int open_client(Ipv4 source);

SocketAddress local_address(int fd);
SocketAddress peer_address(int fd);

// Makes the coming close() send RST and drop what is unsent (SO_LINGER 0). False if the kernel refused.
bool reset_on_close(int fd);
// Sends FIN behind what the kernel holds. A direct call: IORING_OP_SHUTDOWN always takes a worker thread.
void finish_sending(int fd);

}  // namespace millrace::net::uring
