#pragma once

namespace millrace {

// `millrace publish`; returns the exit status.
int publish_command(int argc, const char* const* argv);

}  // namespace millrace
