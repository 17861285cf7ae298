#pragma once
// A shard's log: a ring of bytes in which publications stand one after the other, each linked to the next of
// its topic. Whatever a subscriber has not been sent yet is a place in it, not a copy. What is oldest is
// overwritten, except that the last value of each key survives: it is moved to the front, over and over, so
// that snapshots need no memory of their own.
//
//     begin                                                           end
//     | oldest .. kept value .. record -> (next of its topic) -> record |   free   | begin + capacity

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "engine/fanout/last_values.h"
#include "engine/fanout/publication.h"
#include "netstack/base/reserved_array.h"

namespace millrace::fanout {

struct LogConfig {
    std::size_t bytes = 64u << 20;       // of the ring, rounded up to a power of two
    std::size_t max_payload = 1u << 20;  // of a publication; at most a 32nd of the ring
    std::uint32_t max_topics = 1u << 20;
    std::uint32_t max_keys = 1u << 20;  // of all topics together, whose last values are known
};

class Log {
  public:
    struct Record {
        Offset next;  // of the topic; kNowhere: none yet
        Offset leap;  // kLeap records further on in the topic, on every kLeap-th; else kNowhere
        std::uint64_t sequence;
        std::uint64_t time_ns;
        std::uint64_t bytes_before;  // payload bytes that its topic had before it
        TopicId topic;
        KeyId key;  // kNoKey: the bound on keys was reached
        std::uint32_t payload_bytes;
        std::uint16_t missing;  // messages that are missing before it, at most so many
        std::uint8_t key_bytes;
        std::uint8_t content : 2;
        std::uint8_t kept : 1;    // stands here as a last value only, not in its topic's chain
        std::uint8_t filler : 1;  // nothing, up to the ring's end; payload_bytes has its size
    };
    static_assert(sizeof(Record) == 56);

    // What is known of a topic.
    struct Chain {
        Offset first, last;      // kNowhere: the log holds none
        Offset milestone;        // the last record that a leap may start from
        std::uint64_t sequence;  // of the last publication, whether the log holds it or not
        std::uint64_t bytes;     // of all payloads so far
        std::uint32_t since;     // records behind the milestone
        KeyId own;               // of publications without a key, plus one; 0: there was none
    };

    static Expected<Log> create(const LogConfig& config, std::uint64_t secret);

    // Whether a publication of such a size can be logged.
    bool fits(std::size_t payload) const { return payload <= max_payload_; }

    // Logs `p`, whose topic, time, key, content and payload are read. `sequence` is above the topic's last
    // one; what lies between is missing. Overwrites the oldest; the work for that is bounded by four times
    // the size of the publication.
    Offset append(const Publication& p, std::uint64_t sequence);

    const Record& at(Offset offset) const { return *record(offset); }
    bool holds(Offset offset) const { return offset >= begin_ && offset < end_; }
    Offset begin() const { return begin_; }
    Offset end() const { return end_; }
    // The record behind `offset`, fillers passed over; end() when there is none.
    Offset after(Offset offset) const;
    // The first record at or behind `offset`.
    Offset settle(Offset offset) const;
    const Chain& chain(TopicId topic) const { return chains_[topic]; }
    // The topic's first record in the log with `sequence` or a later one; kNowhere: there is none.
    Offset find(TopicId topic, std::uint64_t sequence) const;

    // The first record of a topic, from the one at `here` on, that is not `before` what is wanted; kNowhere:
    // they all are. Jumps kLeap of them at a time.
    template <class Before>
    Offset skip(Offset here, Before before) const {
        while (here != kNowhere && before(at(here))) {
            const Record& r = at(here);
            here = r.leap != kNowhere && before(at(r.leap)) ? r.leap : r.next;
        }
        return here;
    }

    std::string_view key(const Record& r) const {
        return {reinterpret_cast<const char*>(&r + 1), r.key_bytes};
    }
    std::span<const std::byte> payload(const Record& r) const {
        return {reinterpret_cast<const std::byte*>(&r + 1) + r.key_bytes, r.payload_bytes};
    }

    const LastValues& values() const { return values_; }
    // Last values that were overwritten because all of them together are more than a quarter of the ring.
    std::uint64_t values_dropped() const { return values_dropped_; }
    std::size_t capacity() const { return mask_ + 1; }
    // Bytes of memory that are in use. Not for the hot path.
    std::size_t memory_in_use() const;

  private:
    static constexpr std::uint32_t kLeap = 64;

    Log(ReservedArray<std::byte> bytes, ReservedArray<Chain> chains, LastValues values, std::size_t capacity,
        std::size_t max_payload);

    Record* record(Offset offset) const {
        return reinterpret_cast<Record*>(const_cast<std::byte*>(bytes_.data()) + (offset & mask_));
    }
    static std::size_t size_of(const Record& r);
    std::size_t free_bytes() const { return capacity() - (end_ - begin_); }
    KeyId key_of(Chain& chain, const Publication& p);
    Record* place(std::size_t size);
    void link(Chain& chain, Offset here);
    void make_room(std::size_t size);
    std::size_t evict();
    void keep(const Record& r, Offset was);

    ReservedArray<std::byte> bytes_;
    ReservedArray<Chain> chains_;  // by TopicId
    LastValues values_;
    std::size_t mask_;
    std::size_t max_payload_;
    std::size_t kept_bytes_ = 0;
    Offset begin_, end_;
    std::uint64_t values_dropped_ = 0;
};

}  // namespace millrace::fanout
