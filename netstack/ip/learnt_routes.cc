#include "netstack/ip/learnt_routes.h"

#include <algorithm>

namespace millrace::net {

template <class What, std::size_t Most>
auto LearntRoutes::List<What, Most>::find(const What& what) -> Item* {
    Item* const end = all.data() + count;
    Item* const known = std::find_if(all.data(), end, [&](const Item& item) { return item.what == what; });
    return known == end ? nullptr : known;
}

template <class What, std::size_t Most>
void LearntRoutes::List<What, Most>::learn(const What& what, Time until, Time now) {
    if (Item* known = find(what)) {
        known->until = until;
    } else if (until > now && count < Most) {
        all[count++] = {what, until};
    }
}

template <class What, std::size_t Most>
void LearntRoutes::List<What, Most>::put_last(const What& what) {
    if (Item* known = find(what)) std::rotate(known, known + 1, all.data() + count);
}

template <class What, std::size_t Most>
void LearntRoutes::List<What, Most>::forget_expired(Time now) {
    const auto end = all.begin() + static_cast<std::ptrdiff_t>(count);
    const auto kept = std::remove_if(all.begin(), end, [&](const Item& item) { return item.until <= now; });
    count = static_cast<std::size_t>(kept - all.begin());
}

template <class What, std::size_t Most>
Time LearntRoutes::List<What, Most>::next_expiry() const {
    Time next = kNever;
    for (std::size_t i = 0; i < count; ++i)
        next = std::min(next, all[i].until);
    return next;
}

void LearntRoutes::learn_router(const IpAddress& router, Time until, Time now) {
    routers_.learn(router, until, now);
    forget_expired(now);
}

void LearntRoutes::learn_prefix(const Cidr& prefix, Time until, Time now) {
    prefixes_.learn(prefix, until, now);
    forget_expired(now);
}

void LearntRoutes::forget_expired(Time now) {
    routers_.forget_expired(now);
    prefixes_.forget_expired(now);
    next_expiry_ = std::min(routers_.next_expiry(), prefixes_.next_expiry());
}

}  // namespace millrace::net
