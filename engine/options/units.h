#pragma once
// Quantities as people write them on a command line or in a configuration file, and as they like to read
// them. Parsing is strict: the whole text is the quantity, without spaces, sign or exponent, exact and within
// range; anything else is an Error whose sentence shows how to write it. A decimal fraction is welcome where
// the result is whole ("1.5m" is 1,500,000).

#include <cstdint>
#include <string>
#include <string_view>

#include "netstack/base/error.h"
#include "netstack/base/time.h"

namespace millrace {

// "2500", "10k", "1m", "1.5g": thousands, millions, thousand millions, in either case.
Expected<std::uint64_t> parse_count(std::string_view text);

// "200us" (or "200µs"), "30s", "1m", "1.5s", "2h", "750ns", "5ms". Always with its unit, except "0".
Expected<Duration> parse_duration(std::string_view text);

// "4096" and "4096B" are bytes; "4KiB", "1MiB", "2GiB" powers of 1024; "4kB", "1MB", "2GB" powers of 1000; in
// either case. A bare "64k", "1m" or "2g" is a power of 1024, as for nginx and the other servers that people
// come from.
Expected<std::uint64_t> parse_bytes(std::string_view text);

// To three significant digits: "999", "1.25M", "10k".
std::string format_count(double count);
// "85 ns", "0.61 µs", "12.3 ms", "1.5 s", "2 min 5 s", "1 h 30 min".
std::string format_duration(Duration duration);
// "1000 B", "16 KiB", "1.5 MiB".
std::string format_bytes(double bytes);

}  // namespace millrace
