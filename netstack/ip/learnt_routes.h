#pragma once
// What routers have said about the link (RFC 4861 section 6.3.4): default routers and on-link prefixes, each
// for a while, within bounds. Addresses of our own are never taken from them.

#include <array>
#include <cstdint>
#include <optional>

#include "netstack/base/address.h"
#include "netstack/base/time.h"

namespace millrace::net {

class LearntRoutes {
  public:
    // More than any link needs; what does not fit is not learnt, so that a forger cannot drive out what is.
    static constexpr std::size_t kMostRouters = 4;
    static constexpr std::size_t kMostPrefixes = 16;

    // Until `until`; at once forgotten when that is not after `now`.
    void learn_router(const IpAddress& router, Time until, Time now);
    void learn_prefix(const Cidr& prefix, Time until, Time now);
    // It does not answer: the others are preferred to it (RFC 4861 section 6.3.6).
    void distrust_router(const IpAddress& router) { routers_.put_last(router); }
    void forget_expired(Time now);
    // When forget_expired() next has something to do.
    Time next_expiry() const { return next_expiry_; }

    std::optional<IpAddress> router() const {
        if (routers_.count == 0) return {};
        return routers_.all[0].what;
    }
    bool is_router(const IpAddress& ip) const {
        for (std::size_t i = 0; i < routers_.count; ++i)
            if (routers_.all[i].what == ip) return true;
        return false;
    }
    bool on_link(const IpAddress& ip) const {
        for (std::size_t i = 0; i < prefixes_.count; ++i)
            if (prefixes_.all[i].what.contains(ip)) return true;
        return false;
    }
    std::size_t routers() const { return routers_.count; }
    std::size_t prefixes() const { return prefixes_.count; }

  private:
    template <class What, std::size_t Most>
    struct List {
        struct Item {
            What what;
            Time until;
        };
        Item* find(const What& what);
        void learn(const What& what, Time until, Time now);
        void put_last(const What& what);
        void forget_expired(Time now);
        Time next_expiry() const;

        std::array<Item, Most> all{};
        std::size_t count = 0;
    };

    List<IpAddress, kMostRouters> routers_;
    List<Cidr, kMostPrefixes> prefixes_;
    Time next_expiry_ = kNever;
};

}  // namespace millrace::net
