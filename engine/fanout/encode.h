#pragma once
// What the server says, in each dialect: whole unmasked WebSocket frames, appended to `out`; nothing where
// the dialect has no words for it. A publication is encoded once and its frame sent to all who speak the
// dialect, so this allocates only while `out` has not grown to its size yet.

#include <cstddef>
#include <vector>

#include "engine/fanout/dialect.h"
#include "engine/fanout/publication.h"
#include "engine/fanout/reply.h"

namespace millrace::fanout {

void encode(Dialect dialect, const Publication& publication, std::vector<std::byte>& out);
void encode(Dialect dialect, const Notice& notice, std::vector<std::byte>& out);
void encode(Dialect dialect, const Reply& reply, std::vector<std::byte>& out);

}  // namespace millrace::fanout
