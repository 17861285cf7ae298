#pragma once
// A process that takes part in a load and is led by another, at the other end of a link (wire.h, remote.h).

#include "bench/control/link.h"
#include "bench/load/options.h"

namespace millrace::bench {

// Does what it is told until it is told to end, or the link breaks; the process' exit status. What goes wrong
// at set-up is said over the link. `options`: this process' part (part.h).
int follow_load(LoadOptions options, Link link);

}  // namespace millrace::bench
