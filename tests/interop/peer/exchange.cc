#include "tests/interop/peer/exchange.h"

namespace millrace::interop {

Pattern::Pattern() : bytes_(kPeriod + kMost) {
    std::uint64_t state = 1;
    for (std::size_t i = 0; i < kPeriod; ++i) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        bytes_[i] = static_cast<std::byte>(state >> 56);
    }
    std::copy_n(bytes_.begin(), kMost, bytes_.begin() + kPeriod);
}

bool Pattern::matches(std::uint64_t position, std::span<const std::byte> bytes) const {
    while (!bytes.empty()) {
        const auto expected = at(position, bytes.size());
        if (std::memcmp(expected.data(), bytes.data(), expected.size()) != 0) return false;
        position += expected.size();
        bytes = bytes.subspan(expected.size());
    }
    return true;
}

bool Exchange::due(bool peer_closed, std::size_t unsent) const {
    switch (script_->end) {
        case End::kSent:
            return all_sent();
        case End::kDone:
            return complete();
        case End::kAfter:
            return peer_closed && all_sent();
        case End::kReset:
            return complete() && unsent == 0;
    }
    return false;
}

}  // namespace millrace::interop
