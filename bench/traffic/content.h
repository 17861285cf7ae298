#pragma once
// What a load's messages say, and whether an echo says the same: a text of the user's, or the pattern
// (pattern.h) in sizes drawn from the seed. Either end of a message follows from the connection's number and
// the message's sequence number, so that no copy is kept to compare with.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bench/traffic/pattern.h"
#include "engine/endpoint/message.h"
#include "netstack/base/error.h"

namespace millrace::bench {

// Bytes, every size between the two equally likely.
struct SizeRange {
    std::uint64_t least = 32, most = 32;
};

// "32B", "2-125", "64B-4KiB".
Expected<SizeRange> parse_sizes(std::string_view text);

struct ContentOptions {
    std::string text;  // empty: the pattern
    SizeRange sizes;
    bool binary = false;  // as which the text is sent; the pattern always is
    std::uint64_t seed = 1;
};

class Content {
  public:
    explicit Content(const ContentOptions& options);

    ws::Opcode opcode() const { return opcode_; }
    // Valid until the next call.
    std::span<const std::byte> make(std::uint32_t number, std::uint32_t sequence);
    bool matches(const Message& message, std::uint32_t number, std::uint32_t sequence) const;

  private:
    std::size_t size_of(std::uint32_t number, std::uint32_t sequence) const;

    ContentOptions options_;
    Pattern pattern_;
    ws::Opcode opcode_;
    std::vector<std::byte> scratch_;
};

}  // namespace millrace::bench
