#include "engine/fanout/last_values.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace millrace::fanout {

namespace {

std::uint64_t mix(std::uint64_t state) {
    state = (state ^ state >> 32) * 0xd6e8feb86659fd93;
    return state ^ state >> 32;
}

}  // namespace

Expected<LastValues> LastValues::create(std::uint32_t max_topics, std::uint32_t max_keys,
                                        std::uint64_t secret) {
    const std::size_t slots = std::bit_ceil(std::size_t{max_keys} * 2 + 1);
    auto keys = ReservedArray<Key>::create(max_keys);
    if (!keys) return tl::unexpected(keys.error());
    auto newest = ReservedArray<KeyId>::create(max_topics);
    if (!newest) return tl::unexpected(newest.error());
    auto table = ReservedArray<KeyId>::create(slots);
    if (!table) return tl::unexpected(table.error());
    LastValues values;
    values.keys_ = std::move(*keys);
    values.newest_ = std::move(*newest);
    values.slots_ = std::move(*table);
    values.mask_ = slots - 1;
    values.secret_ = secret | 1;
    return values;
}

std::uint32_t LastValues::hash(TopicId topic, std::string_view name) const {
    std::uint64_t state = mix(secret_ ^ topic) + name.size();
    while (!name.empty()) {
        std::uint64_t word = 0;
        const std::size_t part = std::min(name.size(), sizeof word);
        std::memcpy(&word, name.data(), part);
        state = mix(state ^ word) + secret_;
        name.remove_prefix(part);
    }
    return static_cast<std::uint32_t>(mix(state));
}

KeyId LastValues::add(TopicId topic, std::uint32_t hash) {
    KeyId id;
    if (free_ != 0) {
        id = free_ - 1;
        free_ = keys_[id].newer;
    } else {
        if (used_ == max_keys()) return kNoKey;
        id = used_++;
    }
    ++in_use_;
    keys_[id] = {.last = kNowhere, .sequence = 0, .hash = hash, .topic = topic, .older = 0, .newer = 0};
    std::size_t i = hash & mask_;
    while (slots_[i] != 0)
        i = (i + 1) & mask_;
    slots_[i] = id + 1;
    push_newest(id);
    return id;
}

// What follows in the same run is shifted back, so that no search ends too early.
void LastValues::remove(KeyId id) {
    unlink(id);
    std::size_t hole = keys_[id].hash & mask_;
    while (slots_[hole] != id + 1)
        hole = (hole + 1) & mask_;
    for (std::size_t i = (hole + 1) & mask_; slots_[i] != 0; i = (i + 1) & mask_) {
        const std::size_t home = keys_[slots_[i] - 1].hash & mask_;
        if (((i - home) & mask_) < ((i - hole) & mask_)) continue;  // at home behind the hole
        slots_[hole] = slots_[i];
        hole = i;
    }
    slots_[hole] = 0;
    keys_[id].newer = free_;
    free_ = id + 1;
    --in_use_;
}

void LastValues::update(KeyId id, Offset last, std::uint64_t sequence) {
    Key& key = keys_[id];
    key.last = last;
    key.sequence = sequence;
    if (key.newer == 0) return;  // it is the newest
    unlink(id);
    push_newest(id);
}

void LastValues::unlink(KeyId id) {
    const Key& key = keys_[id];
    if (key.older != 0) keys_[key.older - 1].newer = key.newer;
    (key.newer != 0 ? keys_[key.newer - 1].older : newest_[key.topic]) = key.older;
}

void LastValues::push_newest(KeyId id) {
    Key& key = keys_[id];
    key.older = newest_[key.topic];
    key.newer = 0;
    if (key.older != 0) keys_[key.older - 1].newer = id + 1;
    newest_[key.topic] = id + 1;
}

}  // namespace millrace::fanout
