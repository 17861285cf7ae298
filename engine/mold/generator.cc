#include "engine/mold/generator.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "engine/mold/itch.h"

namespace millrace::itch {

// A message's fields one after the other; what is not written is zero, and the length is that of its type.
class Generator::Writer {
  public:
    Writer(std::vector<std::byte>& out, char type, std::uint16_t locate, std::uint64_t time) : out_(&out) {
        out.assign(size_of(type), std::byte{0});
        text(std::string_view(&type, 1), 1).bytes(locate, 2).bytes(0, 2).bytes(time, 6);
    }
    Writer& bytes(std::uint64_t value, std::size_t size) {
        for (std::size_t i = size; i-- > 0;)
            (*out_)[at_++] = static_cast<std::byte>(value >> 8 * i);
        return *this;
    }
    Writer& text(std::string_view text, std::size_t size) {
        for (std::size_t i = 0; i < size; ++i)
            (*out_)[at_++] = static_cast<std::byte>(i < text.size() ? text[i] : ' ');
        return *this;
    }

  private:
    std::vector<std::byte>* out_;
    std::size_t at_ = 0;
};

namespace {

std::string symbol_of(std::uint16_t stock) {
    return fmt::format("S{}", stock);
}

}  // namespace

bool Generator::next(std::vector<std::byte>& out) {
    if (made_ == config_.count) return false;
    const std::uint64_t at = made_++;
    time_ += number(100'000) + 1;
    if (at == 0) {
        system_event(out, 'O');
    } else if (at <= config_.stocks) {
        directory(out, static_cast<std::uint16_t>(at));
    } else if (at + 1 == config_.count) {
        system_event(out, 'C');
    } else if (const std::uint32_t kind = number(100);
               orders_.empty() || (kind < 45 && orders_.size() < kMaxOrders)) {
        add_order(out);
    } else if (kind < 50) {
        trade(out);
    } else {
        change_order(out);
    }
    return true;
}

void Generator::system_event(std::vector<std::byte>& out, char code) {
    Writer(out, 'S', 0, time_).text({&code, 1}, 1);
}

void Generator::directory(std::vector<std::byte>& out, std::uint16_t stock) {
    Writer(out, 'R', stock, time_)
        .text(symbol_of(stock), kSymbolBytes)
        .text("QN", 2)  // Nasdaq Global Select, normal
        .bytes(100, 4)
        .text("NCZ PNNN1N", 10);
}

void Generator::add_order(std::vector<std::byte>& out) {
    const auto stock = static_cast<std::uint16_t>(number(config_.stocks) + 1);
    const Order order{++reference_, (number(50) + 1) * 100, stock};
    const bool attributed = number(10) == 0;
    Writer writer(out, attributed ? 'F' : 'A', stock, time_);
    writer.bytes(order.reference, 8).text(number(2) == 0 ? "B" : "S", 1).bytes(order.shares, 4);
    writer.text(symbol_of(stock), kSymbolBytes).bytes(number(1'000'000) + 10'000, 4);
    if (attributed) writer.text("MILL", 4);
    orders_.push_back(order);
}

void Generator::trade(std::vector<std::byte>& out) {
    const auto stock = static_cast<std::uint16_t>(number(config_.stocks) + 1);
    Writer(out, 'P', stock, time_)
        .bytes(0, 8)
        .text("B", 1)
        .bytes(number(500) + 1, 4)
        .text(symbol_of(stock), kSymbolBytes)
        .bytes(number(1'000'000) + 10'000, 4)
        .bytes(made_, 8);
}

// Executions and cancellations leave of an order what they do not take; replacing gives it a new number.
void Generator::change_order(std::vector<std::byte>& out) {
    const std::size_t at = number(static_cast<std::uint32_t>(orders_.size()));
    Order& order = orders_[at];
    const std::uint32_t part = number(order.shares) + 1;
    switch (number(5)) {
        case 0:
            Writer(out, 'E', order.stock, time_).bytes(order.reference, 8).bytes(part, 4).bytes(made_, 8);
            break;
        case 1:
            Writer(out, 'C', order.stock, time_)
                .bytes(order.reference, 8)
                .bytes(part, 4)
                .bytes(made_, 8)
                .text("Y", 1)
                .bytes(number(1'000'000) + 10'000, 4);
            break;
        case 2:
            Writer(out, 'X', order.stock, time_).bytes(order.reference, 8).bytes(part, 4);
            break;
        case 3: {
            const std::uint64_t old = std::exchange(order.reference, ++reference_);
            order.shares = part + 100;
            Writer(out, 'U', order.stock, time_)
                .bytes(old, 8)
                .bytes(order.reference, 8)
                .bytes(order.shares, 4)
                .bytes(number(1'000'000) + 10'000, 4);
            return;
        }
        default:
            Writer(out, 'D', order.stock, time_).bytes(order.reference, 8);
            order.shares = part;  // all of it
    }
    order.shares -= part;
    if (order.shares != 0) return;
    order = orders_.back();
    orders_.pop_back();
}

bool Generator::next_packet(std::vector<std::byte>& out, std::size_t most) {
    if (ended_) return false;
    out.assign(mold::kHeader, std::byte{0});
    mold::Header header{kSession, sequence_, 0};
    while (!waiting_.empty() || next(waiting_)) {
        if (out.size() + 2 + waiting_.size() > most) break;
        out.push_back(static_cast<std::byte>(waiting_.size() >> 8));
        out.push_back(static_cast<std::byte>(waiting_.size()));
        out.insert(out.end(), waiting_.begin(), waiting_.end());
        waiting_.clear();
        ++header.count;
        ++sequence_;
    }
    ended_ = header.count == 0;
    if (ended_) header.count = mold::kEndOfSession;
    const auto bytes = mold::encode(header);
    std::copy(bytes.begin(), bytes.end(), out.begin());
    return true;
}

}  // namespace millrace::itch
