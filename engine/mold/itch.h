#pragma once
// ITCH 5.0 (Nasdaq TotalView): which messages there are, how long each is, and whose symbol they are about.
// Numbers are big-endian; every message begins with its type, the stock's locate code, a tracking number, and
// the time in nanoseconds since midnight (6 bytes).

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::itch {

inline constexpr std::size_t kSymbolBytes = 8;

// Bytes of a message of that type; 0: there is none.
constexpr std::size_t size_of(char type) {
    switch (type) {
        case 'S':
            return 12;  // system event
        case 'R':
            return 39;  // stock directory
        case 'H':
            return 25;  // trading action
        case 'Y':
            return 20;  // Reg SHO restriction
        case 'L':
            return 26;  // market participant position
        case 'V':
            return 35;  // market-wide circuit breaker: levels
        case 'W':
            return 12;  // market-wide circuit breaker: status
        case 'K':
            return 28;  // IPO quoting period
        case 'J':
            return 35;  // LULD auction collar
        case 'h':
            return 21;  // operational halt
        case 'A':
            return 36;  // add order
        case 'F':
            return 40;  // add order, with its market participant
        case 'E':
            return 31;  // order executed
        case 'C':
            return 36;  // order executed at another price
        case 'X':
            return 23;  // order cancelled in part
        case 'D':
            return 19;  // order deleted
        case 'U':
            return 35;  // order replaced
        case 'P':
            return 44;  // trade with a hidden order
        case 'Q':
            return 40;  // cross
        case 'B':
            return 19;  // broken trade
        case 'I':
            return 50;  // net order imbalance
        case 'N':
            return 20;  // retail price improvement
        case 'O':
            return 48;  // direct listing with a capital raise
        default:
            return 0;
    }
}

// Where the symbol is in messages of that type; 0: they have none, but perhaps a locate code.
constexpr std::size_t symbol_at(char type) {
    switch (type) {
        case 'R':
        case 'H':
        case 'Y':
        case 'K':
        case 'J':
        case 'h':
        case 'N':
        case 'O':
            return 11;
        case 'L':
            return 15;
        case 'A':
        case 'F':
        case 'P':
            return 24;
        case 'Q':
            return 19;
        case 'I':
            return 28;
        default:
            return 0;
    }
}

// Finds the topic of each message: `itch.` and the symbol. Messages without one of their own are about the
// stock that their locate code was given to earlier in the session (a code has 16 bits: that is the bound).
class Topics {
  public:
    static constexpr std::string_view kSystem = "itch.system";    // of no stock
    static constexpr std::string_view kUnknown = "itch.unknown";  // of a locate code that was never given

    // Whether `message` has the length of its type; the topic stays valid until the next call.
    bool find(std::span<const std::byte> message, std::string_view& topic);

  private:
    std::vector<std::string> topics_{std::vector<std::string>(1u << 16)};  // by locate code
};

}  // namespace millrace::itch
