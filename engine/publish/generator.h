#pragma once
// Market data made from a seed, like a recorded stream of an exchange: for each symbol a book ticker, trades
// and depth updates, symbols by Zipf's law. Kinds, sizes, and how messages crowd together follow a recording
// of 33,618 messages in 346 s (binance-spot-ethusdt-20240808):
//
//     bookTicker   72 %   106 bytes                  16,221 bursts (less than 1 ms between two messages), of
//     trade        18 %   134 bytes                  2.07 messages; half of them are one message, a tenth 4
//     or depth        10 %   half below 502 bytes,      more, a hundredth 17 or more; between bursts 1 to 100
//     ms,
//                         mean 1,063, p99 9,782      their logarithm spread evenly, 21 ms on average

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "engine/publish/item.h"

namespace millrace::publish {

struct GeneratorConfig {
    std::uint64_t seed = 1;
    std::uint32_t symbols = 1000;  // of three topics each
    std::uint64_t count = 0;       // messages; 0: without end
    double zipf = 1.0;             // the exponent
};

class Generator {
  public:
    // Messages a second at its own pace, in the long run.
    static constexpr double kRate = 97.2;

    explicit Generator(const GeneratorConfig& config);
    Next next(Item& out);

  private:
    struct Symbol {
        std::uint64_t updates = 0;
        std::int64_t price = 0;  // in hundredths
    };

    double uniform() { return std::uniform_real_distribution<double>(0, 1)(random_); }
    void advance_time();
    std::size_t pick_symbol();
    void write_book_ticker(const std::string& name, const Symbol& symbol, Item& out);
    void write_trade(const std::string& name, const Symbol& symbol, Item& out);
    void write_depth(const std::string& name, const Symbol& symbol, Item& out);

    GeneratorConfig config_;
    std::mt19937_64 random_;
    std::vector<double> shares_;  // of all symbols up to each
    std::vector<Symbol> symbols_;
    std::uint64_t made_ = 0;
    std::uint64_t left_in_burst_ = 0;
    Duration now_{};
};

}  // namespace millrace::publish
