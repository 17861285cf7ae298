#include "netstack/tcp/connection_table.h"

namespace millrace::tcp {

Expected<ConnectionTable> ConnectionTable::create(std::size_t max_entries) {
    ConnectionTable table;
    auto buckets = ReservedArray<Bucket>::create(max_entries * 2 / kSlots + kFirstBuckets + 1);
    if (!buckets) return tl::unexpected(buckets.error());
    // The hash is keyed, so the buckets' loads are Poisson: 3.5 on average, 7 in those about to be split.
    auto overflow = BlockPool<Bucket>::create(max_entries / 8 + kFirstBuckets);
    if (!overflow) return tl::unexpected(overflow.error());
    table.buckets_ = std::move(*buckets);
    table.overflow_ = std::move(*overflow);
    table.max_entries_ = max_entries;
    return table;
}

bool ConnectionTable::insert(std::uint32_t hash, std::uint32_t index) {
    if (entries_ == max_entries_ || !put(place(hash), hash, index + 1)) return false;
    ++entries_;
    if (entries_ * 2 > std::size_t{count_} * kSlots) split();
    return true;
}

bool ConnectionTable::put(std::uint32_t place, std::uint32_t hash, std::uint32_t entry) {
    Bucket* bucket = &buckets_[place];
    for (;;) {
        for (unsigned i = 0; i < kSlots; ++i) {
            if (bucket->entry[i] != 0) continue;
            bucket->tag[i] = hash;
            bucket->entry[i] = entry;
            return true;
        }
        if (bucket->overflow == 0) {
            const std::uint32_t block = overflow_.take();
            if (block == kNoBlock) return false;
            overflow_[block] = {};
            bucket->overflow = block + 1;
        }
        bucket = &overflow_[bucket->overflow - 1];
    }
}

void ConnectionTable::remove(std::uint32_t hash, std::uint32_t index) {
    std::uint32_t* hole_tag = nullptr;
    std::uint32_t* hole_entry = nullptr;
    Bucket* before = nullptr;
    Bucket* bucket = &buckets_[place(hash)];
    for (;; before = bucket, bucket = &overflow_[bucket->overflow - 1]) {
        for (unsigned i = 0; i < kSlots && hole_entry == nullptr; ++i) {
            if (bucket->tag[i] != hash || bucket->entry[i] != index + 1) continue;
            hole_tag = &bucket->tag[i];
            hole_entry = &bucket->entry[i];
        }
        if (bucket->overflow == 0) break;
    }
    if (hole_entry == nullptr) return;
    // The chain's last entry fills the hole.
    unsigned last = kSlots - 1;
    while (bucket->entry[last] == 0)
        --last;
    *hole_tag = bucket->tag[last];
    *hole_entry = bucket->entry[last];
    bucket->entry[last] = 0;
    if (last == 0 && before != nullptr) {
        overflow_.give_back(before->overflow - 1);
        before->overflow = 0;
    }
    --entries_;
}

// Spreads the chain of the bucket at the split pointer over itself and a new bucket. Each overflow bucket is
// given back before its entries are put anew, so this needs no more of them than there were.
void ConnectionTable::split() {
    if (count_ == buckets_.capacity()) return;
    const std::uint32_t from = count_ & (mask_ >> 1);
    if (++count_ > mask_) mask_ = mask_ * 2 + 1;
    Bucket moving = std::exchange(buckets_[from], Bucket{});
    for (;;) {
        for (unsigned i = 0; i < kSlots && moving.entry[i] != 0; ++i)
            put(place(moving.tag[i]), moving.tag[i], moving.entry[i]);
        if (moving.overflow == 0) return;
        const std::uint32_t block = moving.overflow - 1;
        moving = overflow_[block];
        overflow_.give_back(block);
    }
}

}  // namespace millrace::tcp
