#pragma once

namespace millrace {

// `millrace subscribe`; returns the exit status.
int subscribe_command(int argc, const char* const* argv);

}  // namespace millrace
