#pragma once
// The PROXY protocol, versions 1 and 2, as HAProxy specifies it (doc/proxy-protocol.txt): what a load
// balancer that only passes bytes on says in front of them about the client it speaks for. Only who is known
// to be such a balancer may be believed, so that it is read only where it is expected. No I/O.

#include <cstddef>
#include <cstdint>
#include <span>

#include "netstack/base/address.h"

namespace millrace::proxy {

// Longer headers are refused. The specification asks for 232 bytes, with TLVs whatever fits a first segment.
inline constexpr std::size_t kMostHeader = 4096;

enum class HeaderStatus : std::uint8_t {
    kIncomplete,
    kBad,      // not a header, or one that breaks the specification's rules: the connection is to be dropped
    kLocal,    // the balancer itself (LOCAL), or a client that it cannot name (UNKNOWN): the TCP peer counts
    kProxied,  // `source` is the client
};

struct Header {
    HeaderStatus status = HeaderStatus::kIncomplete;
    std::size_t size = 0;  // kLocal, kProxied: bytes of the header, behind which the client's begin
    net::SocketAddress source;
};

// `bytes`: all that has been received so far. The verdict falls at the first byte that decides it.
Header parse_header(std::span<const std::byte> bytes);

}  // namespace millrace::proxy
