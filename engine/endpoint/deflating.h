#pragma once
// Part of endpoint.h: compressed messages, both ways (RFC 7692).

namespace millrace {

// What a message inflates to is collected in a chain, and bounded by max_message while it grows: a small
// message that becomes an enormous one ends its connection, not the shard's memory.
template <net::Carrier C, class... Handlers>
void Endpoint<C, Handlers...>::on_compressed(net::ConnId id, Slot& slot, const ws::Step& step) {
    ws::Inflater* const inflater = compression_.inflater(slot.deflate);
    if (inflater == nullptr) {
        ++counters_.memory_refusals;
        return fail(id, slot, ws::CloseCode::kTryAgainLater, "no memory left to inflate the message");
    }
    std::span<const std::byte> in = step.payload;
    if (!inflate_into_chain(id, slot, step.opcode,
                            [&](std::span<std::byte>& out) { return inflater->take(in, out); }))
        return;
    if (!step.last) return;
    if (!inflate_into_chain(id, slot, step.opcode,
                            [&](std::span<std::byte>& out) { return inflater->end(out); }))
        return;
    if (step.opcode == ws::Opcode::kText && !inflater->utf8.complete()) return fail_text(id, slot);
    compression_.message_ended(slot.deflate);
    parts_.clear();
    chains_.parts(slot.chain, parts_);
    deliver(id, slot, step.opcode, parts_);
    chains_.release(slot.chain);
}

// Calls `inflate` with room for as long as it wants more. False when that failed the connection.
template <net::Carrier C, class... Handlers>
template <class Inflate>
bool Endpoint<C, Handlers...>::inflate_into_chain(net::ConnId id, Slot& slot, ws::Opcode opcode,
                                                  Inflate inflate) {
    for (;;) {
        std::span<std::byte> room = chains_.room(slot.chain);
        if (room.empty()) {
            ++counters_.memory_refusals;
            fail(id, slot, ws::CloseCode::kTryAgainLater, "no memory left for the message");
            return false;
        }
        const std::uint64_t left = config_.max_message - chains_.size(slot.chain);
        room = room.first(static_cast<std::size_t>(std::min<std::uint64_t>(room.size(), left + 1)));
        std::span<std::byte> rest = room;
        const ws::InflateStatus status = inflate(rest);
        const auto written = room.first(room.size() - rest.size());
        if (written.size() > left) {
            fail(id, slot, ws::CloseCode::kMessageTooBig,
                 "message inflates beyond the limit (RFC 6455 section 7.4.1)");
            return false;
        }
        chains_.commit(slot.chain, written.size());
        if (opcode == ws::Opcode::kText && !compression_.inflater(slot.deflate)->utf8.feed(written)) {
            fail_text(id, slot);
            return false;
        }
        if (status == ws::InflateStatus::kTaken) return true;
        if (status == ws::InflateStatus::kCorrupt) {
            ++counters_.protocol_failures;
            fail(id, slot, ws::CloseCode::kInvalidPayload, "not DEFLATE data (RFC 7692 section 7.2.2)");
            return false;
        }
    }
}

template <net::Carrier C, class... Handlers>
void Endpoint<C, Handlers...>::fail_text(net::ConnId id, Slot& slot) {
    ++counters_.protocol_failures;
    fail(id, slot, ws::CloseCode::kInvalidPayload, "text that is not UTF-8 (RFC 6455 section 8.1)");
}

// Appends the message compressed. False when it is to be sent as it is.
template <net::Carrier C, class... Handlers>
bool Endpoint<C, Handlers...>::write_compressed(net::ConnId id, Slot& slot, ws::Opcode opcode, Parts parts,
                                                std::size_t payload) {
    const std::span<std::byte> compressed = compression_.compress(slot.deflate, parts, payload);
    if (compressed.empty()) return false;
    if (write_frame(carrier_, id, opcode, Parts(&compressed, 1), compressed.size(), mask_key(slot), true))
        return true;
    compression_.not_sent(slot.deflate);
    return false;
}

}  // namespace millrace
