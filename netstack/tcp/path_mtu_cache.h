#pragma once
// What paths were found to carry, by destination (RFC 8201 section 5.2, RFC 1191 section 6.3): a connection
// that opens later begins with what an earlier one has learnt, instead of losing a segment to learn it again.
// Connections ask once, when they open; on the way of segments nobody does.
//
// A table of small sets under a keyed hash, so that nobody chooses who shares a set. What is known is
// believed for ten minutes; in a full set the oldest gives way, and is counted.

#include <cstdint>
#include <optional>

#include "netstack/base/address.h"
#include "netstack/base/error.h"
#include "netstack/base/reserved_array.h"
#include "netstack/base/time.h"
#include "netstack/tcp/isn.h"

namespace millrace::tcp {

class PathMtuCache {
  public:
    static constexpr std::size_t kSets = 1024;
    static constexpr std::size_t kWays = 4;
    static constexpr Duration kLife = 10min;  // RFC 1191 section 6.3, RFC 8201 section 4

    struct Known {
        std::uint16_t mtu;  // bytes of the whole IP packet
        Time until;         // when something larger is worth trying
    };

    static Expected<PathMtuCache> create(const Secret& secret);
    PathMtuCache() = default;  // to be assigned to

    // True when another destination had to give way.
    bool learn(const net::IpAddress& destination, std::uint16_t mtu, Time now);
    void forget(const net::IpAddress& destination, Time now);
    std::optional<Known> find(const net::IpAddress& destination, Time now) const {
        if (now >= fresh_until_) [[likely]]
            return {};
        return look_up(destination, now);
    }

    std::size_t resident_bytes() const { return sets_.resident_bytes(); }

  private:
    struct Entry {  // all zero is a free one
        net::IpAddress destination;
        Time until;
        std::uint16_t mtu;
    };
    struct Set {
        Entry ways[kWays];
    };

    explicit PathMtuCache(const Secret& secret) : secret_(secret) {}
    std::optional<Known> look_up(const net::IpAddress& destination, Time now) const;
    std::size_t set_of(const net::IpAddress& destination) const;

    Secret secret_{};
    Time fresh_until_{};  // of the newest
    ReservedArray<Set> sets_;
};

}  // namespace millrace::tcp
