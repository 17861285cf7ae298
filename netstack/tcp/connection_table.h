#pragma once
// From a connection's hash to its index: buckets of one cache line, as many from the beginning as the bound
// on the entries calls for, so that nothing is ever moved or split and no insertion stalls; memory is taken
// as buckets are first touched. What does not fit a bucket lies in a chain of small blocks behind it. Filled
// to its bound the table costs 7 bytes a connection.

#include <rte_prefetch.h>

#include <bit>
#include <cstdint>
#include <cstring>

#include "netstack/base/block_pool.h"
#include "netstack/base/error.h"
#include "netstack/base/reserved_array.h"

namespace millrace::tcp {

class ConnectionTable {
  public:
    static constexpr std::uint32_t kNone = kNoBlock;
    static constexpr std::size_t kBytesPerEntry = 7;  // filled to its bound

    static Expected<ConnectionTable> create(std::size_t max_entries);

    // The entry with this hash for which same(index) holds. It is asked of others, too: of a hash no more
    // than a few bits are kept.
    template <class Same>
    std::uint32_t find(std::uint32_t hash, Same&& same) const {
        const Bucket& bucket = buckets_[home(hash)];
        const std::uint8_t tag = tag_of(hash);
        std::uint32_t found = bucket.find(tag, same);
        for (std::uint32_t at = bucket.next; at != 0 && found == kNone; at = overflow_[at - 1].next)
            found = overflow_[at - 1].find(tag, same);
        return found;
    }

    // False when the bound is reached. The entry must not be there yet.
    bool insert(std::uint32_t hash, std::uint32_t index);
    void remove(std::uint32_t hash, std::uint32_t index);

    void prefetch(std::uint32_t hash) const { rte_prefetch0(&buckets_[home(hash)]); }
    // The index of some entry in its bucket that may have this hash, for prefetching; kNone if there is none.
    std::uint32_t candidate(std::uint32_t hash) const {
        return buckets_[home(hash)].find(tag_of(hash), [](std::uint32_t) { return true; });
    }

    // Takes the memory of all buckets now.
    void populate() { buckets_.populate(count_); }

    std::size_t size() const { return entries_; }
    std::size_t resident_bytes() const { return buckets_.resident_bytes() + overflow_.resident_bytes(); }

  private:
    // Entries are filled in from the front, chains without gaps. All zero is empty.
    template <unsigned kSlots>
    struct Entries {
        std::uint32_t next;        // block of overflow_ plus one
        std::uint8_t tag[kSlots];  // 0: free
        std::uint32_t entry[kSlots];

        // Eight tags at a time: a byte of `bits` has its highest bit set where the tag is the one.
        template <class Same>
        std::uint32_t find(std::uint8_t wanted, Same&& same) const {
            constexpr std::uint64_t kOnes = 0x0101010101010101, kLow = 0x7f7f7f7f7f7f7f7f;
            for (unsigned from = 0; from < kSlots; from += 8) {
                std::uint64_t tags = 0;
                std::memcpy(&tags, tag + from, from + 8 <= kSlots ? 8 : kSlots % 8);
                const std::uint64_t differing = tags ^ kOnes * wanted;
                std::uint64_t bits = ~(((differing & kLow) + kLow) | differing | kLow);
                for (; bits != 0; bits &= bits - 1) {
                    const unsigned i = from + static_cast<unsigned>(std::countr_zero(bits)) / 8;
                    if (same(entry[i])) return entry[i];
                }
            }
            return kNone;
        }
        unsigned used() const {
            unsigned n = 0;
            while (n < kSlots && tag[n] != 0)
                ++n;
            return n;
        }
    };
    struct alignas(64) Bucket : Entries<12> {};
    struct alignas(32) Overflow : Entries<5> {};
    static_assert(sizeof(Bucket) == 64 && sizeof(Overflow) == 32);
    static_assert(std::endian::native == std::endian::little, "the first tag is the lowest byte");

    // The hash is keyed, so the buckets' loads are Poisson: with 11 on average, three of ten overflow, and 7
    // % of the entries lie behind their bucket.
    static constexpr unsigned kLoad = 11;

    struct Place {
        std::uint8_t* tag;
        std::uint32_t* entry;
    };

    // The bucket comes from the hash's high bits, the tag from its low ones.
    std::uint32_t home(std::uint32_t hash) const {
        return static_cast<std::uint32_t>(std::uint64_t{hash} * count_ >> 32);
    }
    static std::uint8_t tag_of(std::uint32_t hash) {
        const auto low = static_cast<std::uint8_t>(hash);
        return low == 0 ? 1 : low;
    }
    Place place_of(std::uint32_t hash, std::uint32_t index);
    Place take_last(Bucket& bucket);

    ReservedArray<Bucket> buckets_;
    BlockPool<Overflow> overflow_;
    std::uint32_t count_ = 0;
    std::size_t entries_ = 0;
    std::size_t max_entries_ = 0;
};

}  // namespace millrace::tcp
