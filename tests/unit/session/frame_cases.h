#pragma once
// RFC 6455 sections 5 to 8 and RFC 7692 section 6.1 as a table: frames as a peer sends them, and what a
// receiver makes of them. tests/unit/session runs it on the session alone, tests/unit/conformance on whole
// endpoints.

#include <string>
#include <vector>

#include "tests/unit/session/reference.h"

namespace millrace::ws::test {

// The longest message that is taken.
inline constexpr std::uint64_t kFrameCaseLimit = 70000;

struct FrameCase {
    const char* section;
    const char* name;
    std::vector<Frame> frames;
    Events events;
    bool deflate = false;  // permessage-deflate was agreed; the compressed octets are any
};

const std::vector<FrameCase>& frame_cases();
// Server_5_4_two_fragments_7
std::string test_name(Role role, const FrameCase& c, std::size_t index);

}  // namespace millrace::ws::test
