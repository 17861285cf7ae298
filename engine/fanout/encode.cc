#include "engine/fanout/encode.h"

#include "engine/fanout/encode_binary.h"
#include "engine/fanout/encode_json.h"
#include "engine/fanout/encode_stream.h"

namespace millrace::fanout {

void encode(Dialect dialect, const Publication& publication, std::vector<std::byte>& out) {
    switch (dialect) {
        case Dialect::kBinary:
            return binary::encode(publication, out);
        case Dialect::kJson:
            return json::encode(publication, out);
        case Dialect::kStream:
            return stream::encode(publication, out);
        case Dialect::kStreamCombined:
            return stream::encode_combined(publication, out);
    }
}

void encode(Dialect dialect, const Notice& notice, std::vector<std::byte>& out) {
    if (dialect == Dialect::kBinary) binary::encode(notice, out);
    if (dialect == Dialect::kJson) json::encode(notice, out);
}

void encode(Dialect dialect, const Reply& reply, std::vector<std::byte>& out) {
    switch (dialect) {
        case Dialect::kBinary:
            return binary::encode(reply, out);
        case Dialect::kJson:
            return json::encode(reply, out);
        case Dialect::kStream:
        case Dialect::kStreamCombined:
            return stream::encode(reply, out);
    }
}

}  // namespace millrace::fanout
