#pragma once
// What the processes of a load tell each other, as JSON (control/link.h), with nothing rounded.
//
//     member -> leader   {"hello": {"cores", "commit"}}            once
//     leader -> member   {"clock": n}   answered with the same and {"now"}, some times
//     leader -> member   {"set_up": {"first_shard", "shards"}}     answered with {"ready"} or {"failed":
//     "why"} leader -> member   {"order": {"number", "order", "rate", "start"}} member -> leader   {"counts":
//     {...}}                         four times a second: a sign of life as well member -> leader   {"done":
//     number, "tally": {...}} leader -> member   {"alive"}                                 once a second
//     leader -> member   {"end"}

#include <nlohmann/json.hpp>

#include "bench/load/member.h"

namespace millrace::bench {

nlohmann::json to_wire(const LoadCommand& command);
nlohmann::json to_wire(const LoadCounts& counts);
nlohmann::json to_wire(const LoadTally& tally);

// They throw nlohmann::json::exception at what is none.
LoadCommand command_of(const nlohmann::json& wire);
LoadCounts counts_of(const nlohmann::json& wire);
LoadTally tally_of(const nlohmann::json& wire);

}  // namespace millrace::bench
