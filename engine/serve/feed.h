#pragma once
// What `millrace serve` serves at /feed, /publish, /ws and /stream.

#include "engine/fanout/feed.h"
#include "engine/run/serve_options.h"

namespace millrace {

// The feed's part of `options`; adds the subprotocols that it speaks to them.
fanout::Feed make_feed(ServeOptions& options);

}  // namespace millrace
