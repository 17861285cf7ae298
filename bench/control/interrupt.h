#pragma once
// SIGINT and SIGTERM: the first asks the run to end, the second ends the process at once.

namespace millrace::bench {

void catch_interrupts();
bool interrupted();

}  // namespace millrace::bench
