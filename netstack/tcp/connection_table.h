#pragma once
// From a connection's hash to its index: linear hashing over buckets of one cache line. One bucket is split
// at each insertion above the load factor, so that the table grows to any size without ever stalling; a
// bucket that overflows chains to another. It costs some 20 bytes a connection.

#include <rte_prefetch.h>

#include <bit>
#include <cstdint>

#include "netstack/base/block_pool.h"
#include "netstack/base/error.h"

namespace millrace::tcp {

class ConnectionTable {
  public:
    static constexpr std::uint32_t kNone = kNoBlock;

    static Expected<ConnectionTable> create(std::size_t max_entries);

    // The entry with this hash for which same(index) holds: hashes may collide.
    template <class Same>
    std::uint32_t find(std::uint32_t hash, Same&& same) const {
        for (const Bucket* bucket = &buckets_[place(hash)];; bucket = &overflow_[bucket->overflow - 1]) {
            for (unsigned i = 0; i < kSlots; ++i) {
                if (bucket->tag[i] == hash && bucket->entry[i] != 0 && same(bucket->entry[i] - 1))
                    return bucket->entry[i] - 1;
            }
            if (bucket->overflow == 0) return kNone;
        }
    }

    // False when the bound is reached. The entry must not be there yet.
    bool insert(std::uint32_t hash, std::uint32_t index);
    void remove(std::uint32_t hash, std::uint32_t index);

    void prefetch(std::uint32_t hash) const { rte_prefetch0(&buckets_[place(hash)]); }
    // The index of some entry with this hash in its first bucket, for prefetching; kNone if there is none.
    std::uint32_t candidate(std::uint32_t hash) const {
        const Bucket& bucket = buckets_[place(hash)];
        for (unsigned i = 0; i < kSlots; ++i)
            if (bucket.tag[i] == hash && bucket.entry[i] != 0) return bucket.entry[i] - 1;
        return kNone;
    }

    std::size_t size() const { return entries_; }
    std::size_t resident_bytes() const { return buckets_.resident_bytes() + overflow_.resident_bytes(); }

  private:
    static constexpr unsigned kSlots = 7;
    static constexpr std::uint32_t kFirstBuckets = 64;

    // All zero is an empty bucket.
    struct alignas(64) Bucket {
        std::uint32_t tag[kSlots];
        std::uint32_t entry[kSlots];  // index + 1; slots are filled from the front, chains without gaps
        std::uint32_t overflow;       // block + 1
    };
    static_assert(sizeof(Bucket) == 64);

    // Buckets below 2^k from the split pointer on are still addressed by k bits, the others by k + 1.
    std::uint32_t place(std::uint32_t hash) const {
        const std::uint32_t wide = hash & mask_;
        return wide < count_ ? wide : hash & (mask_ >> 1);
    }
    bool put(std::uint32_t bucket, std::uint32_t hash, std::uint32_t entry);
    void split();

    ReservedArray<Bucket> buckets_;
    BlockPool<Bucket> overflow_;
    std::uint32_t count_ = kFirstBuckets;
    std::uint32_t mask_ = 2 * kFirstBuckets - 1;
    std::size_t entries_ = 0;
    std::size_t max_entries_ = 0;
};

}  // namespace millrace::tcp
