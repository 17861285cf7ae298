#pragma once
// An ITCH 5.0 session made from a seed, since no capture may be shipped: the directory of its stocks, then
// orders that are added, executed, cancelled, replaced and deleted as their books allow, and trades. In
// MoldUDP64 packets, or message by message.

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "engine/mold/moldudp64.h"

namespace millrace::itch {

struct GeneratorConfig {
    std::uint64_t seed = 1;
    std::uint16_t stocks = 100;
    std::uint64_t count = 10'000;  // messages, the directory and both system events among them
};

class Generator {
  public:
    explicit Generator(const GeneratorConfig& config) : config_(config), random_(config.seed) {}

    // The next message, into `out`; false at the end.
    bool next(std::vector<std::byte>& out);
    // The next packet of at most `most` bytes; after the last message comes the end of the session, once.
    bool next_packet(std::vector<std::byte>& out, std::size_t most = 1400);

    static constexpr mold::Session kSession = {'M', 'I', 'L', 'L', 'R', 'A', 'C', 'E', '0', '1'};

  private:
    struct Order {
        std::uint64_t reference;
        std::uint32_t shares;
        std::uint16_t stock;
    };
    static constexpr std::size_t kMaxOrders = 10'000;

    class Writer;

    void system_event(std::vector<std::byte>& out, char code);
    void directory(std::vector<std::byte>& out, std::uint16_t stock);
    void add_order(std::vector<std::byte>& out);
    void trade(std::vector<std::byte>& out);
    void change_order(std::vector<std::byte>& out);
    std::uint32_t number(std::uint32_t below) { return static_cast<std::uint32_t>(random_() % below); }

    GeneratorConfig config_;
    std::mt19937_64 random_;
    std::uint64_t made_ = 0;
    std::uint64_t time_ = 9u * 3600 * 1'000'000'000ull;  // since midnight
    std::uint64_t reference_ = 0;
    std::vector<Order> orders_;
    std::uint64_t sequence_ = 1;
    std::vector<std::byte> waiting_;  // a message that did not fit the packet before
    bool ended_ = false;
};

}  // namespace millrace::itch
