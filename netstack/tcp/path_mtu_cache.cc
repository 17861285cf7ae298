#include "netstack/tcp/path_mtu_cache.h"

#include <algorithm>

namespace millrace::tcp {

Expected<PathMtuCache> PathMtuCache::create(const Secret& secret) {
    auto sets = ReservedArray<Set>::create(kSets);
    if (!sets) return tl::unexpected(sets.error());
    PathMtuCache cache(secret);
    cache.sets_ = std::move(*sets);
    return cache;
}

std::size_t PathMtuCache::set_of(const net::IpAddress& destination) const {
    return siphash(secret_, destination.high, destination.low) % kSets;
}

bool PathMtuCache::learn(const net::IpAddress& destination, std::uint16_t mtu, Time now) {
    auto& ways = sets_[set_of(destination)].ways;
    Entry* place = std::find_if(std::begin(ways), std::end(ways),
                                [&](const Entry& e) { return e.destination == destination; });
    if (place == std::end(ways))
        place = std::min_element(std::begin(ways), std::end(ways),
                                 [](const Entry& a, const Entry& b) { return a.until < b.until; });
    const bool evicts = place->destination != destination && place->until > now;
    *place = {destination, now + kLife, mtu};
    fresh_until_ = place->until;
    return evicts;
}

void PathMtuCache::forget(const net::IpAddress& destination, Time now) {
    if (now >= fresh_until_) return;
    for (Entry& entry : sets_[set_of(destination)].ways)
        if (entry.destination == destination) entry = {};
}

std::optional<PathMtuCache::Known> PathMtuCache::look_up(const net::IpAddress& destination, Time now) const {
    for (const Entry& entry : sets_[set_of(destination)].ways)
        if (entry.destination == destination && now < entry.until) return Known{entry.mtu, entry.until};
    return {};
}

}  // namespace millrace::tcp
