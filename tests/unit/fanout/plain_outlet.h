#pragma once
// An outlet in memory for tests of the hub: what each connection was sent, as messages, and how much each
// takes before it is full.

#include <gtest/gtest.h>

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "engine/fanout/hub.h"
#include "engine/frame/header.h"

namespace millrace::fanout::test {

class PlainOutlet {
  public:
    struct Batch {
        std::vector<std::string> messages;
    };
    struct Peer {
        std::vector<std::string> heard;
        std::size_t takes = ~std::size_t{0};  // batches, until it is full
        bool gone = false;
        std::vector<TooSlow> disconnected;
    };

    Batch batch(std::span<const std::byte> frames, std::uint32_t messages) {
        ++batches;
        Batch made;
        while (!frames.empty()) {
            const auto byte = [&](std::size_t i) { return std::to_integer<std::size_t>(frames[i]); };
            const std::size_t shortest = byte(1) & 0x7f;
            std::size_t header = 2, size = shortest;
            if (shortest == 126) header = 4, size = byte(2) << 8 | byte(3);
            if (shortest == 127)
                for (header = 10, size = 0; const std::size_t i : {2, 3, 4, 5, 6, 7, 8, 9})
                    size = size << 8 | byte(i);
            const auto payload = frames.subspan(header, size);
            made.messages.emplace_back(reinterpret_cast<const char*>(payload.data()), payload.size());
            frames = frames.subspan(header + size);
        }
        EXPECT_GE(made.messages.size(), messages);
        return made;
    }
    Sent send(std::uint32_t connection, const Batch& batch) {
        Peer& peer = peers[connection];
        if (peer.gone) return Sent::kGone;
        if (peer.takes == 0 || short_of_memory) return Sent::kFull;
        --peer.takes;
        peer.heard.insert(peer.heard.end(), batch.messages.begin(), batch.messages.end());
        return Sent::kSent;
    }
    Sent send(std::uint32_t connection, std::span<const std::byte> frames, std::uint32_t messages) {
        return send(connection, batch(frames, messages));
    }
    bool pressed() const { return short_of_memory; }
    bool has_room(std::uint32_t connection) { return peers[connection].takes != 0 && !short_of_memory; }
    void disconnect(std::uint32_t connection, TooSlow why) { peers[connection].disconnected.push_back(why); }
    void prefetch(std::uint32_t) {}

    std::map<std::uint32_t, Peer> peers;
    int batches = 0;
    bool short_of_memory = false;
};

static_assert(Outlet<PlainOutlet>);

}  // namespace millrace::fanout::test
