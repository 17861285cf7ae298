#include "engine/fanout/publication_ring.h"

#include <cstring>
#include <span>

namespace millrace::fanout {

// A named copy: the only one on the way between threads.
bool PublicationRing::push(const Publication& p, std::uint64_t sequence) {
    const std::size_t cells = cells_for(sizeof(Head) + p.topic.size() + p.key.size() + p.payload.size());
    if (ring_.free_slots(cells) < cells) return false;
    const Head head{.sequence = sequence,
                    .time_ns = p.time_ns,
                    .payload_bytes = static_cast<std::uint32_t>(p.payload.size()),
                    .topic_bytes = static_cast<std::uint8_t>(p.topic.size()),
                    .key_bytes = static_cast<std::uint8_t>(p.key.size()),
                    .content = p.content};
    std::byte* at = out_[0].data();
    const auto add = [&at](const void* what, std::size_t size) {
        if (size != 0) std::memcpy(at, what, size);
        at += size;
    };
    add(&head, sizeof head);
    add(p.topic.data(), p.topic.size());
    add(p.key.data(), p.key.size());
    add(p.payload.data(), p.payload.size());
    return ring_.push(std::span<const Cell>(out_.get(), cells));
}

// The cells of a publication come into the ring all at once.
bool PublicationRing::pop(Publication& p, std::uint64_t& sequence) {
    if (!ring_.pop(in_[0])) return false;
    Head head;
    std::memcpy(&head, in_[0].data(), sizeof head);
    const std::size_t cells = cells_for(sizeof head + head.topic_bytes + head.key_bytes + head.payload_bytes);
    if (cells > 1) ring_.pop(std::span(&in_[1], cells - 1));
    const std::byte* at = in_[0].data() + sizeof head;
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
