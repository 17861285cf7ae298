#include "engine/fanout/exchange.h"

#include <cstring>

namespace millrace::fanout {

Exchange::Exchange(unsigned shards, std::size_t ring_bytes) : shards_(shards) {
    for (unsigned from = 0; from < shards; ++from) {
        ends_.push_back(std::make_unique<End>());
        for (unsigned to = 0; to < shards; ++to)
            rings_.push_back(from == to ? nullptr : std::make_unique<Ring>(ring_bytes / kCellBytes));
    }
}

// FNV-1a: the same on every shard, and no secret.
unsigned Exchange::home(std::string_view topic) const {
    if (shards_ == 1) return 0;
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const char byte : topic)
        hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
    return static_cast<unsigned>((hash >> 32) % shards_);
}

// A named copy: the only one on the way between shards.
bool Exchange::send(unsigned from, unsigned to, const Publication& p, std::uint64_t sequence) {
    End& end = *ends_[from];
    const std::size_t bytes = sizeof(Head) + p.topic.size() + p.key.size() + p.payload.size();
    const std::size_t cells = (bytes + kCellBytes - 1) / kCellBytes;
    Ring& ring = this->ring(from, to);
    if (ring.free_slots(cells) < cells) {
        ++end.refused;
        return false;
    }
    if (end.out.size() < cells) end.out.resize(cells);
    const Head head{.sequence = sequence,
                    .time_ns = p.time_ns,
                    .payload_bytes = static_cast<std::uint32_t>(p.payload.size()),
                    .topic_bytes = static_cast<std::uint8_t>(p.topic.size()),
                    .key_bytes = static_cast<std::uint8_t>(p.key.size()),
                    .content = p.content};
    std::byte* at = end.out[0].data();
    const auto add = [&at](const void* what, std::size_t size) {
        if (size != 0) std::memcpy(at, what, size);
        at += size;
    };
    add(&head, sizeof head);
    add(p.topic.data(), p.topic.size());
    add(p.key.data(), p.key.size());
    add(p.payload.data(), p.payload.size());
    return ring.push(std::span<const Cell>(end.out.data(), cells));
}

bool Exchange::crowded(unsigned from) const {
    for (unsigned to = 0; to < shards_; ++to)
        if (to != from && ring(from, to).size() > ring(from, to).capacity() / 2) return true;
    return false;
}

// The cells of a publication come into the ring all at once.
bool Exchange::pop(unsigned from, unsigned to, Publication& p, std::uint64_t& sequence) {
    End& end = *ends_[to];
    if (end.in.empty()) end.in.resize(1);
    if (!ring(from, to).pop(end.in[0])) return false;
    Head head;
    std::memcpy(&head, end.in[0].data(), sizeof head);
    const std::size_t bytes = sizeof head + head.topic_bytes + head.key_bytes + head.payload_bytes;
    const std::size_t cells = (bytes + kCellBytes - 1) / kCellBytes;
    if (end.in.size() < cells) end.in.resize(cells);
    if (cells > 1) ring(from, to).pop(std::span(end.in).subspan(1, cells - 1));
    const std::byte* at = end.in[0].data() + sizeof head;
    const char* text = reinterpret_cast<const char*>(at);
    p = {.topic = {text, head.topic_bytes},
         .time_ns = head.time_ns,
         .content = head.content,
         .key = {text + head.topic_bytes, head.key_bytes},
         .payload = {at + head.topic_bytes + head.key_bytes, head.payload_bytes}};
    sequence = head.sequence;
    return true;
}

}  // namespace millrace::fanout
