#pragma once
// `millrace connect`: a WebSocket on the command line.

namespace millrace {

// The exit status.
int connect_command(int argc, const char* const* argv);

}  // namespace millrace
