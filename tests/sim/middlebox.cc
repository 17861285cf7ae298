#include "tests/sim/middlebox.h"

#include <algorithm>

#include "netstack/base/checksum.h"
#include "netstack/tcp/header.h"
#include "tests/sim/tcp_frame.h"

namespace millrace::sim {
namespace {

constexpr std::byte kEnd{0}, kNop{1}, kWindowScale{3}, kSackPermitted{4}, kTimestamps{8};

bool takes(const Middlebox& middlebox, std::byte kind) {
    return (middlebox.timestamps && kind == kTimestamps) || (middlebox.sack && kind == kSackPermitted) ||
           (middlebox.window_scale && kind == kWindowScale);
}

}  // namespace

void take_options_out(const Middlebox& middlebox, std::span<std::byte> frame) {
    const auto tcp = find_tcp(frame);
    if (!tcp || !(tcp->header.tcp_flags & tcp::kSyn)) return;
    const auto segment = frame.subspan(tcp->at);
    const auto options = segment.first(tcp->header_bytes).subspan(tcp::kMinHeader);
    // No word of the header but those of the options changes: the checksum is put right by the difference
    // (RFC 1624).
    const net::ChecksumSum before = net::checksum_sum(options);
    for (std::size_t i = 0; i < options.size() && options[i] != kEnd;) {
        const std::size_t length = options[i] == kNop ? 1 : static_cast<std::size_t>(options[i + 1]);
        if (takes(middlebox, options[i]))
            std::fill_n(options.begin() + static_cast<std::ptrdiff_t>(i), length, kNop);
        i += length;
    }
    std::uint16_t sum;
    std::memcpy(&sum, segment.data() + offsetof(rte_tcp_hdr, cksum), sizeof sum);
    net::ChecksumSum after = net::checksum_sum(options);
    after += net::ChecksumSum(std::uint64_t{static_cast<std::uint16_t>(~sum)});
    after += net::ChecksumSum(std::uint64_t{before.checksum()});  // its complement: less `before`
    sum = after.checksum();
    std::memcpy(segment.data() + offsetof(rte_tcp_hdr, cksum), &sum, sizeof sum);
}

}  // namespace millrace::sim
