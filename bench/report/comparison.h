#pragma once
// Which of two is faster, quantile by quantile, and how sure that is. Percentiles are never averaged: all
// messages of a contender's runs are one distribution, whose quantiles are compared.
//
// How far a quantile would differ if it were measured again is found by the bootstrap: the contender's runs
// are drawn anew, as many as there are, each as often as chance has it, and within a run its parts
// (neighbouring messages wait for the same things: they are drawn together). Of 1,000 such distributions the
// middle 95 % are the interval.

#include <cstdint>
#include <string_view>
#include <vector>

#include "bench/result/histogram.h"

namespace millrace::bench {

// The round trips of one contender: by run, by part of the run.
using Sample = std::vector<std::vector<Histogram>>;

struct Interval {
    double low = 0, high = 0;
};

enum class Verdict : std::uint8_t { kFaster, kSlower, kNoDifference };

// "faster", "slower", "no difference".
std::string_view name_of(Verdict verdict);

struct QuantileComparison {
    double percentile = 50;
    double a_ns = 0, b_ns = 0;
    Interval a_interval, b_interval;  // ns
    double ratio = 1;                 // b to a
    Interval ratio_interval;
    Verdict verdict = Verdict::kNoDifference;  // of b
};

// At 50, 90, 99, 99.9 and 99.99 %, as far as ten messages of each lie beyond. The same samples and seed give
// the same answer. Takes some tenths of a second.
std::vector<QuantileComparison> compare(const Sample& a, const Sample& b, std::uint64_t seed = 1);

// All messages of a sample.
Histogram merged(const Sample& sample);

}  // namespace millrace::bench
