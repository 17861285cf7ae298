#pragma once

#include <string>
#include <string_view>

namespace millrace {

// Text from the wire as a quoted value: nothing in it can end a line, look like another value, or command a
// terminal. What is not printable ASCII is written \xNN.
std::string quoted(std::string_view text);

}  // namespace millrace
