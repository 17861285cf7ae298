#pragma once
// encode.h, for one dialect.

#include <cstddef>
#include <vector>

#include "engine/fanout/publication.h"
#include "engine/fanout/reply.h"

namespace millrace::fanout::stream {

void encode(const Publication& publication, std::vector<std::byte>& out);
void encode_combined(const Publication& publication, std::vector<std::byte>& out);
void encode(const Reply& reply, std::vector<std::byte>& out);

}  // namespace millrace::fanout::stream
