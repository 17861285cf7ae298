#pragma once
// Something on the path that takes options it does not know out of SYNs, as firewalls have been seen to do
// (RFC 7323 section 1.3): both ends then do without.

#include <cstddef>
#include <span>

#include "tests/sim/scenario.h"

namespace millrace::sim {

// Of any frame; the checksum is put right.
void take_options_out(const Middlebox& middlebox, std::span<std::byte> frame);

}  // namespace millrace::sim
