#include "engine/fanout/log.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <string>

namespace millrace::fanout {

namespace {

constexpr std::size_t kAlign = 8;
constexpr std::size_t kMostBesides = sizeof(Log::Record) + kMaxKeyBytes + kAlign;  // beside a payload
constexpr std::size_t kPerRing = 32;  // so many of the longest records are in the ring at least

std::size_t rounded(std::size_t bytes) {
    return (bytes + kAlign - 1) & ~(kAlign - 1);
}

}  // namespace

Expected<Log> Log::create(const LogConfig& config, std::uint64_t secret) {
    const std::size_t capacity = std::bit_ceil(config.bytes);
    if (config.max_payload > capacity / kPerRing)
        return fail("a log of " + std::to_string(capacity) + " bytes is too small for messages of " +
                    std::to_string(config.max_payload) + ": make it " +
                    std::to_string(config.max_payload * kPerRing) + " bytes, or the messages' limit lower");
    auto bytes = ReservedArray<std::byte>::create(capacity);
    if (!bytes) return tl::unexpected(bytes.error());
    auto chains = ReservedArray<Chain>::create(config.max_topics);
    if (!chains) return tl::unexpected(chains.error());
    auto values = LastValues::create(config.max_topics, config.max_keys, secret);
    if (!values) return tl::unexpected(values.error());
    return Log(std::move(*bytes), std::move(*chains), std::move(*values), capacity, config.max_payload);
}

Log::Log(ReservedArray<std::byte> bytes, ReservedArray<Chain> chains, LastValues values, std::size_t capacity,
         std::size_t max_payload)
    : bytes_(std::move(bytes)),
      chains_(std::move(chains)),
      values_(std::move(values)),
      mask_(capacity - 1),
      max_payload_(max_payload),
      begin_(capacity),  // no record is ever at kNowhere
      end_(capacity) {}

std::size_t Log::size_of(const Record& r) {
    return r.filler ? r.payload_bytes : rounded(sizeof(Record) + r.key_bytes + r.payload_bytes);
}

Offset Log::append(const Publication& p, std::uint64_t sequence) {
    const std::size_t size = rounded(sizeof(Record) + p.key.size() + p.payload.size());
    make_room(size);
    Chain& chain = chains_[p.topic_id];
    const KeyId key = key_of(chain, p);
    Record* r = place(size);
    const Offset here = end_;
    const std::uint64_t missing = sequence - chain.sequence - 1;
    *r = {.next = kNowhere,
          .leap = kNowhere,
          .sequence = sequence,
          .time_ns = p.time_ns,
          .bytes_before = chain.bytes,
          .topic = p.topic_id,
          .key = key,
          .payload_bytes = static_cast<std::uint32_t>(p.payload.size()),
          .missing = static_cast<std::uint16_t>(
              std::min<std::uint64_t>(missing, std::numeric_limits<std::uint16_t>::max())),
          .key_bytes = static_cast<std::uint8_t>(p.key.size()),
          .content = static_cast<std::uint8_t>(p.content),
          .kept = 0,
          .filler = 0};
    auto* body = reinterpret_cast<std::byte*>(r + 1);
    if (!p.key.empty()) std::memcpy(body, p.key.data(), p.key.size());
    if (!p.payload.empty()) std::memcpy(body + p.key.size(), p.payload.data(), p.payload.size());
    end_ += size;
    chain.sequence = sequence;
    chain.bytes += p.payload.size();
    link(chain, here);
    if (key == kNoKey) return here;
    if (const Offset before = values_[key].last; before != kNowhere && record(before)->kept)
        kept_bytes_ -= size_of(*record(before));
    values_.update(key, here, sequence);
    return here;
}

KeyId Log::key_of(Chain& chain, const Publication& p) {
    if (p.key.empty()) {
        if (chain.own == 0) chain.own = values_.add(p.topic_id, values_.hash(p.topic_id, {})) + 1;
        return chain.own - 1;
    }
    const std::uint32_t hash = values_.hash(p.topic_id, p.key);
    const KeyId known =
        values_.find(hash, p.topic_id, [&](KeyId id) { return key(at(values_[id].last)) == p.key; });
    return known != kNoKey ? known : values_.add(p.topic_id, hash);
}

// Where `size` bytes stand in one piece: at end_, behind a filler where the ring ends too soon.
Log::Record* Log::place(std::size_t size) {
    const std::size_t left = capacity() - (end_ & mask_);
    if (left < size) {
        if (left >= sizeof(Record)) {
            *record(end_) = {};
            record(end_)->filler = 1;
            record(end_)->payload_bytes = static_cast<std::uint32_t>(left);
        }
        end_ += left;
    }
    return record(end_);
}

void Log::link(Chain& chain, Offset here) {
    if (chain.last != kNowhere)
        record(chain.last)->next = here;
    else
        chain.first = here;
    chain.last = here;
    if (++chain.since < kLeap && chain.milestone != kNowhere) return;
    if (chain.milestone >= begin_ && chain.milestone != kNowhere) record(chain.milestone)->leap = here;
    chain.milestone = here;
    chain.since = 0;
}

// Ahead of need, a little with each publication, so that none has to move many kept values at once. With at
// most a quarter of the ring kept, and four bytes looked at for each that is logged, an eighth ahead is
// enough.
void Log::make_room(std::size_t size) {
    const std::size_t ahead = capacity() / 8;
    const std::size_t least = 2 * (size + max_payload_ + kMostBesides);  // each with a filler
    for (std::size_t looked = 0; begin_ != end_;) {
        const std::size_t free = free_bytes();
        if (free >= ahead + size || (looked >= 4 * size && free >= least)) return;
        looked += evict();
    }
}

// The oldest record; returns its size.
std::size_t Log::evict() {
    const Offset was = begin_;
    const std::size_t left = capacity() - (begin_ & mask_);
    if (left < sizeof(Record)) {
        begin_ += left;
        return left;
    }
    const Record& r = *record(begin_);
    const std::size_t size = size_of(r);
    begin_ += size;
    if (r.filler) return size;
    if (!r.kept) {
        Chain& chain = chains_[r.topic];
        chain.first = r.next;
        if (chain.first == kNowhere) chain.last = kNowhere;
    }
    if (r.key != kNoKey && values_[r.key].last == was) keep(r, was);
    return size;
}

// A last value that would be overwritten, moved to the end. A named copy, of what is published seldom.
void Log::keep(const Record& r, Offset was) {
    const std::size_t size = size_of(r);
    if (r.kept) kept_bytes_ -= size;
    const KeyId key = r.key;
    if (kept_bytes_ + size > capacity() / 4) {
        ++values_dropped_;
        Chain& chain = chains_[r.topic];
        if (chain.own == key + 1) chain.own = 0;
        return values_.remove(key);
    }
    Record* to = place(size);
    std::memmove(static_cast<void*>(to), record(was), size);
    to->next = to->leap = kNowhere;
    to->kept = 1;
    kept_bytes_ += size;
    values_.move(key, end_);
    end_ += size;
}

Offset Log::settle(Offset offset) const {
    while (offset < end_) {
        const std::size_t left = capacity() - (offset & mask_);
        if (left < sizeof(Record))
            offset += left;
        else if (const Record& r = at(offset); r.filler)
            offset += size_of(r);
        else
            return offset;
    }
    return end_;
}

Offset Log::after(Offset offset) const {
    return settle(offset + size_of(at(offset)));
}

Offset Log::find(TopicId topic, std::uint64_t sequence) const {
    const Chain& chain = chains_[topic];
    if (chain.last == kNowhere) return kNowhere;
    return skip(chain.first, [sequence](const Record& r) { return r.sequence < sequence; });
}

std::size_t Log::memory_in_use() const {
    return bytes_.resident_bytes() + chains_.resident_bytes() + values_.memory_in_use();
}

}  // namespace millrace::fanout
