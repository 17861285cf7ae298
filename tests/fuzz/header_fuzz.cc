// The frame header decoder: what it takes is what the encoder writes, byte for byte; a prefix never says more
// than the whole does; and it reads nothing beyond its input.
//
// Input: one byte for the role, then the header.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "engine/frame/encode.h"
#include "engine/frame/header.h"

namespace {

using namespace millrace::ws;

void require(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "header_fuzz: %s\n", what);
    std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 1) return 0;
    const Role role = data[0] & 1 ? Role::kClient : Role::kServer;
    const auto in = std::as_bytes(std::span(data, size)).subspan(1);
    const auto [status, header, why] = decode_header(in, role);
    require((status == HeaderStatus::kBad) == (*why != '\0'),
            "a reason for every fault, and for faults only");
    require(header.size >= 2 && header.size <= kMaxHeader, "a header's size");

    if (status == HeaderStatus::kComplete) {
        std::byte again[kMaxHeader];
        const auto key = header.masked ? std::optional(header.key) : std::nullopt;
        const std::size_t written = encode_header(again, header.opcode, header.fin, header.payload, key);
        require(written == header.size && std::equal(again, again + written, in.begin()),
                "not what the encoder writes");
    }
    if (status == HeaderStatus::kNeedMore) require(header.size > in.size(), "it has all it wants");

    for (std::size_t n = 0; n < std::min<std::size_t>(in.size(), header.size); ++n) {
        const std::vector<std::byte> exact(in.begin(), in.begin() + static_cast<long>(n));
        const HeaderResult part = decode_header(exact, role);
        require(part.status != HeaderStatus::kComplete, "a part is complete");
        require(part.status == HeaderStatus::kNeedMore || status == HeaderStatus::kBad,
                "a part is bad, the whole is not");
        require(
            status != HeaderStatus::kComplete || (part.header.size > n && part.header.size <= header.size),
            "what a part wants");
    }
    return 0;
}
