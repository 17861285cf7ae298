#pragma once
// What the kernel's side of this machine allows a load over kernel sockets, asked before it begins.

#include <cstdint>

#include "bench/load/desk.h"

namespace millrace::bench {

// Raises the soft limit of file descriptors as far as the load needs and the hard limit allows; fails with
// the remedy where a limit is too low: descriptors, local ports for so many connections to one server,
// memory. `options`: this process' part.
Expected<void> check_limits(const LoadOptions& options, const LoadPlan& plan);

// How often a listener's queue on this machine was full (TcpExt: ListenDrops) since it
// started. Zero where the kernel does not say.
std::uint64_t listen_drops();

// How many segments this machine's TCP has sent again (Tcp: RetransSegs), to whomever.
std::uint64_t kernel_retransmits();

}  // namespace millrace::bench
