#include "netstack/tcp/connection_table.h"

namespace millrace::tcp {

Expected<ConnectionTable> ConnectionTable::create(std::size_t max_entries) {
    ConnectionTable table;
    const std::size_t count = max_entries / kLoad + 1;
    auto buckets = ReservedArray<Bucket>::create(count);
    if (!buckets) return tl::unexpected(buckets.error());
    // Were all hashes the same, there would be blocks for all the same.
    auto overflow = BlockPool<Overflow>::create(max_entries / 5 + 1);
    if (!overflow) return tl::unexpected(overflow.error());
    table.buckets_ = std::move(*buckets);
    table.overflow_ = std::move(*overflow);
    table.count_ = static_cast<std::uint32_t>(count);
    table.max_entries_ = max_entries;
    return table;
}

bool ConnectionTable::insert(std::uint32_t hash, std::uint32_t index) {
    if (entries_ == max_entries_) return false;
    ++entries_;
    const auto put = [&](auto& entries) {
        const unsigned i = entries.used();
        if (i == std::size(entries.tag)) return false;
        entries.tag[i] = tag_of(hash);
        entries.entry[i] = index;
        return true;
    };
    Bucket& bucket = buckets_[home(hash)];
    if (put(bucket)) return true;
    std::uint32_t* next = &bucket.next;
    for (; *next != 0; next = &overflow_[*next - 1].next)
        if (put(overflow_[*next - 1])) return true;
    const std::uint32_t block = overflow_.take();
    *next = block + 1;
    overflow_[block] = {};
    return put(overflow_[block]);
}

// The chain's last entry fills the hole.
void ConnectionTable::remove(std::uint32_t hash, std::uint32_t index) {
    const Place hole = place_of(hash, index);
    if (hole.tag == nullptr) return;
    const Place last = take_last(buckets_[home(hash)]);
    *hole.entry = *last.entry;
    *hole.tag = *last.tag;
    *last.tag = 0;
    --entries_;
}

// Null when it is not there.
ConnectionTable::Place ConnectionTable::place_of(std::uint32_t hash, std::uint32_t index) {
    const auto look = [&](auto& entries) -> Place {
        for (unsigned i = 0; i < std::size(entries.tag); ++i)
            if (entries.tag[i] == tag_of(hash) && entries.entry[i] == index)
                return {&entries.tag[i], &entries.entry[i]};
        return {};
    };
    Bucket& bucket = buckets_[home(hash)];
    Place found = look(bucket);
    for (std::uint32_t at = bucket.next; at != 0 && found.tag == nullptr; at = overflow_[at - 1].next)
        found = look(overflow_[at - 1]);
    return found;
}

// The last entry of a chain that has one; a block that has no other is given back, and can be read until the
// next is taken.
ConnectionTable::Place ConnectionTable::take_last(Bucket& bucket) {
    const auto last = [](auto& entries) -> Place {
        const unsigned i = entries.used() - 1;
        return {&entries.tag[i], &entries.entry[i]};
    };
    if (bucket.next == 0) return last(bucket);
    std::uint32_t* next = &bucket.next;
    while (overflow_[*next - 1].next != 0)
        next = &overflow_[*next - 1].next;
    Overflow& block = overflow_[*next - 1];
    const Place found = last(block);
    if (block.used() == 1) overflow_.give_back(std::exchange(*next, 0) - 1);
    return found;
}

}  // namespace millrace::tcp
