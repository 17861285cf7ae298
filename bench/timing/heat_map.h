#pragma once
// How often each latency occurred in each part of a run: columns are equal parts of the time that was
// measured, rows latencies, four to a doubling.

#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

#include "netstack/base/time.h"

namespace millrace::bench {

class HeatMap {
  public:
    static constexpr std::size_t kColumns = 120;
    static constexpr std::size_t kRows = 144;  // up to 2^36 ns, 68 s

    // Takes its memory.
    void begin(Time from, Duration duration) {
        from_ = from;
        column_ = std::max<Duration>(duration / kColumns, Duration(1));
        counts_.assign(kColumns * kRows, 0);
    }
    void record(Time at, Duration latency) {
        if (at < from_) return;
        const auto column = static_cast<std::size_t>((at - from_) / column_);
        if (column < kColumns) ++counts_[column * kRows + row_of(latency)];
    }
    // Of another shard, of the same run.
    void merge(const HeatMap& other) {
        if (other.counts_.empty()) return;
        counts_.resize(kColumns * kRows);
        column_ = other.column_;
        for (std::size_t i = 0; i < counts_.size(); ++i)
            counts_[i] += other.counts_[i];
    }

    Duration column() const { return column_; }
    // By column, then row; empty before it began.
    const std::vector<std::uint32_t>& counts() const { return counts_; }
    void set(Duration column, std::vector<std::uint32_t> counts) {
        column_ = column;
        counts_ = std::move(counts);
    }

    static std::size_t row_of(Duration latency) {
        const auto ns = static_cast<std::uint64_t>(std::max<std::int64_t>(latency.count(), 4));
        const auto doublings = static_cast<unsigned>(std::bit_width(ns)) - 1;
        return std::min<std::size_t>(4 * doublings + (ns >> (doublings - 2) & 3), kRows - 1);
    }
    // The least latency of the row, ns.
    static std::uint64_t begin_of(std::size_t row) {
        return row < 8 ? 0 : (std::uint64_t{4} + row % 4) << (row / 4 - 2);
    }

  private:
    Time from_{};
    Duration column_{1};
    std::vector<std::uint32_t> counts_;
};

}  // namespace millrace::bench
