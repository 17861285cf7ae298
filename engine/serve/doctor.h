#pragma once
// `millrace doctor`: what on this machine stands in the way of speed, each finding with its remedy.

namespace millrace {

// The exit status: 0 when nothing bad was found, 1 when something was, 2 when it could not be told.
int doctor_command(int argc, const char* const* argv);

}  // namespace millrace
