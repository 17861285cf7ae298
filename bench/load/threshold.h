#pragma once
// What a run has to reach, as people write it: 'p99<50us', 'rate>=100k', 'lost<=0'. A run that does not ends
// with exit status 1.

#include <string>
#include <string_view>

#include "bench/result/result.h"
#include "netstack/base/error.h"

namespace millrace::bench {

class Threshold {
  public:
    static Expected<Threshold> parse(std::string_view text);

    // Empty when `result` keeps to it, else a sentence: "p99 is 61.2 µs (wanted: p99<50us)".
    std::string missed(const LoadResult& result) const;

  private:
    using Measure = double (*)(const LoadResult&);
    using Compare = bool (*)(double, double);

    std::string text_;
    std::string name_;
    Measure measure_ = nullptr;
    Compare compare_ = nullptr;
    double bound_ = 0;
    bool is_time_ = false;  // ns
};

}  // namespace millrace::bench
