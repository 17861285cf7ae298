#pragma once
// encode.h, for one dialect.

#include <cstddef>
#include <vector>

#include "engine/fanout/publication.h"
#include "engine/fanout/reply.h"

namespace millrace::fanout::binary {

void encode(const Publication& publication, std::vector<std::byte>& out);
void encode(const Notice& notice, std::vector<std::byte>& out);
void encode(const Reply& reply, std::vector<std::byte>& out);

}  // namespace millrace::fanout::binary
