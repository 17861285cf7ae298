#include "engine/publish/generator.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace millrace::publish {
namespace {

std::string decimal(std::int64_t hundredths) {
    return fmt::format("{}.{:02}000000", hundredths / 100, hundredths % 100);
}

}  // namespace

Generator::Generator(const GeneratorConfig& config)
    : config_(config), random_(config.seed), symbols_(config.symbols) {
    double sum = 0;
    for (std::uint32_t rank = 1; rank <= config.symbols; ++rank)
        shares_.push_back(sum += std::pow(rank, -config.zipf));
    for (Symbol& symbol : symbols_)
        symbol.price = static_cast<std::int64_t>(100 * std::pow(10, uniform() * 4));
}

Next Generator::next(Item& out) {
    if (config_.count != 0 && made_ == config_.count) return Next::kEnd;
    ++made_;
    advance_time();
    const std::size_t picked = pick_symbol();
    Symbol& symbol = symbols_[picked];
    ++symbol.updates;
    symbol.price = std::max<std::int64_t>(100, symbol.price + static_cast<std::int64_t>(random_() % 3) - 1);
    const std::string name = fmt::format("s{:04}", picked);
    out.due = now_;
    out.key.clear();
    out.content = fanout::Content::kJson;
    const std::uint64_t kind = random_() % 100;
    if (kind < 72)
        write_book_ticker(name, symbol, out);
    else if (kind < 90)
        write_trade(name, symbol, out);
    else
        write_depth(name, symbol, out);
    return Next::kItem;
}

// Half of the bursts are one message; the rest have lengths of a Pareto distribution (exponent 1.65), no
// longer than the longest that was seen, whose mean is what 2.07 messages a burst leave.
void Generator::advance_time() {
    if (left_in_burst_ > 0) {
        --left_in_burst_;
        now_ +=
            Duration(static_cast<Duration::rep>(std::exp(uniform() * std::log(1e6) * 0.8)));  // below 63 us
        return;
    }
    if (uniform() < 0.5)
        left_in_burst_ =
            std::min<std::uint64_t>(132, static_cast<std::uint64_t>(std::pow(1 - uniform(), -1 / 1.65)));
    now_ += Duration(static_cast<Duration::rep>(1e6 * std::exp(uniform() * std::log(100))));
}

std::size_t Generator::pick_symbol() {
    const auto at = std::lower_bound(shares_.begin(), shares_.end(), uniform() * shares_.back());
    return std::min(static_cast<std::size_t>(at - shares_.begin()), shares_.size() - 1);
}

void Generator::write_book_ticker(const std::string& name, const Symbol& symbol, Item& out) {
    out.topic = name + "@bookTicker";
    out.payload =
        fmt::format(R"({{"u":{},"s":"{}","b":"{}","B":"{}","a":"{}","A":"{}"}})",
                    35346513501 + symbol.updates, name, decimal(symbol.price), decimal(random_() % 9000 + 1),
                    decimal(symbol.price + 1), decimal(random_() % 9000 + 1));
}

void Generator::write_trade(const std::string& name, const Symbol& symbol, Item& out) {
    out.topic = name + "@trade";
    const std::int64_t ms = 1723161254024 + now_ / 1ms;
    out.payload =
        fmt::format(R"({{"e":"trade","E":{},"s":"{}","t":{},"p":"{}","q":"{}","T":{},"m":{},"M":true}})", ms,
                    name, 1500000000 + symbol.updates, decimal(symbol.price), decimal(random_() % 900 + 1),
                    ms, random_() % 2 == 0);
}

// Levels of some 30 bytes, their number log-normal.
void Generator::write_depth(const std::string& name, const Symbol& symbol, Item& out) {
    out.topic = name + "@depth";
    const double size = 502 * std::exp(std::normal_distribution<double>(0, 1.2)(random_));
    const auto levels = static_cast<std::size_t>(std::clamp((size - 110) / 29, 1.0, 660.0));
    const auto side = [&](std::size_t count, std::int64_t step) {
        std::string text;
        for (std::size_t i = 0; i < count; ++i) {
            const auto distance = static_cast<std::int64_t>(i) + 1;
            text += fmt::format(R"({}["{}","{}"])", i == 0 ? "" : ",",
                                decimal(std::max<std::int64_t>(1, symbol.price + step * distance)),
                                decimal(random_() % 9000));
        }
        return text;
    };
    out.payload =
        fmt::format(R"({{"e":"depthUpdate","E":{},"s":"{}","U":{},"u":{},"b":[{}],"a":[{}]}})",
                    1723161254024 + now_ / 1ms, name, 35346513499 + symbol.updates,
                    35346513505 + symbol.updates, side(levels - levels / 2, -1), side(levels / 2, 1));
}

}  // namespace millrace::publish
