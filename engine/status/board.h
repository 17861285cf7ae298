#pragma once
// What all shards of a server have counted. Each writes its own row once a second, from its loop; anyone
// reads all of them at any time, those of shards that have ended too.

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "netstack/base/time.h"

namespace millrace::status {

class Board {
  public:
    static constexpr Duration kPeriod = 1s;           // between two writes of a shard
    static constexpr std::size_t kMostFigures = 384;  // a shard's; what is beyond is left out

    explicit Board(unsigned shards) : rows_(std::make_unique<Row[]>(shards)), shards_(shards) {}

    // A shard takes part, on its thread, before it serves. visit(visitor) calls visitor(name, value) for each
    // figure, always the same ones in the same order, and on all shards.
    template <class Visit>
    void join(const Visit& visit) {
        std::call_once(named_, [&] {
            visit([this](std::string_view name, std::uint64_t) {
                if (names_.size() < kMostFigures) names_.emplace_back(name);
            });
        });
    }
    template <class Visit>
    void write(unsigned shard, const Visit& visit) {
        std::size_t i = 0;
        visit([&](std::string_view, std::uint64_t value) {
            if (i < kMostFigures) rows_[shard][i++].store(value, std::memory_order_relaxed);
        });
    }

    // --- by any shard that has joined ---
    unsigned shards() const { return shards_; }
    const std::vector<std::string>& names() const { return names_; }
    std::uint64_t value(unsigned shard, std::size_t figure) const {
        return rows_[shard][figure].load(std::memory_order_relaxed);
    }
    std::uint64_t sum(std::size_t figure) const {
        std::uint64_t all = 0;
        for (unsigned shard = 0; shard < shards_; ++shard)
            all += value(shard, figure);
        return all;
    }

  private:
    struct alignas(64) Row : std::array<std::atomic<std::uint64_t>, kMostFigures> {};

    std::unique_ptr<Row[]> rows_;
    unsigned shards_;
    std::once_flag named_;
    std::vector<std::string> names_;
};

}  // namespace millrace::status
