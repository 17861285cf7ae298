#pragma once
// SIGINT and SIGTERM as a program that serves wants them: waited for by one thread, delivered to none.

#include "netstack/base/time.h"

namespace millrace {

// Blocks SIGINT and SIGTERM for this thread and those that it starts from now on, and ignores SIGPIPE.
void block_end_signals();

// Waits for one of them; true when one came within `most`.
bool wait_for_end_signal(Duration most);

}  // namespace millrace
