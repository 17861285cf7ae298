#pragma once
// Frames into a carrier: header and payload are written in place, in the buffer that leaves, so the payload
// is copied once (and masked on the way where we are the client).

#include <cstring>
#include <optional>
#include <span>

#include "engine/endpoint/message.h"
#include "engine/frame/encode.h"
#include "engine/mask/mask.h"
#include "netstack/carrier.h"

namespace millrace {

// Copies `bytes` into room that was prepared.
template <net::Carrier C>
void write_prepared(C& carrier, net::ConnId id, std::span<const std::byte> bytes,
                    std::optional<ws::MaskKey> key = {}, std::size_t phase = 0) {
    while (!bytes.empty()) {
        const std::span<std::byte> room = carrier.room(id);
        const std::size_t part = std::min(room.size(), bytes.size());
        if (key)
            ws::copy_masked(bytes.first(part), room.data(), *key, phase & 3);
        else
            std::memcpy(room.data(), bytes.data(), part);
        carrier.commit(id, part);
        phase += part;
        bytes = bytes.subspan(part);
    }
}

// Appends `bytes` as they are; false when the carrier has no room, and then nothing was appended.
template <net::Carrier C>
bool write_bytes(C& carrier, net::ConnId id, std::span<const std::byte> bytes) {
    if (!carrier.prepare(id, bytes.size())) return false;
    write_prepared(carrier, id, bytes);
    return true;
}

// Appends one frame (FIN set) whose payload is `parts`, `payload` bytes together; all or nothing. `rsv1`:
// they are compressed.
template <net::Carrier C>
bool write_frame(C& carrier, net::ConnId id, ws::Opcode opcode, Parts parts, std::size_t payload,
                 std::optional<ws::MaskKey> key, bool rsv1 = false) {
    const std::size_t header = ws::header_size(payload, key.has_value());
    if (!carrier.prepare(id, header + payload)) return false;

    const std::span<std::byte> room = carrier.room(id);
    if (parts.size() == 1 && room.size() >= header + payload) [[likely]] {
        carrier.commit(id, ws::encode_frame(room.data(), opcode, parts[0], key, rsv1));
        return true;
    }

    std::byte head[ws::kMaxHeader];
    ws::encode_header(head, opcode, true, payload, key, rsv1);
    write_prepared(carrier, id, std::span<const std::byte>(head, header));
    std::size_t phase = 0;
    for (const auto part : parts) {
        write_prepared(carrier, id, part, key, phase);
        phase += part.size();
    }
    return true;
}

}  // namespace millrace
