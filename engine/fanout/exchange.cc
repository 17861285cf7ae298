#include "engine/fanout/exchange.h"

namespace millrace::fanout {

Exchange::Exchange(unsigned shards, std::size_t ring_bytes) : shards_(shards) {
    for (unsigned from = 0; from < shards; ++from) {
        refused_.push_back(std::make_unique<Counter>());
        for (unsigned to = 0; to < shards; ++to)
            rings_.push_back(from == to ? nullptr : std::make_unique<PublicationRing>(ring_bytes));
    }
}

// FNV-1a, the same on every shard, and no secret. Its last bytes reach the middle bits only by a
// multiplication more: names that differ in their last bytes are to have different homes.
unsigned Exchange::home(std::string_view topic) const {
    if (shards_ == 1) return 0;
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const char byte : topic)
        hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
    hash = (hash ^ hash >> 32) * 0x9e3779b97f4a7c15;
    return static_cast<unsigned>((hash >> 32) % shards_);
}

bool Exchange::send(unsigned from, unsigned to, const Publication& p, std::uint64_t sequence) {
    if (ring(from, to).push(p, sequence)) return true;
    ++*refused_[from];
    return false;
}

bool Exchange::crowded(unsigned from) const {
    for (unsigned to = 0; to < shards_; ++to)
        if (to != from && ring(from, to).crowded()) return true;
    return false;
}

}  // namespace millrace::fanout
