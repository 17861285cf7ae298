#pragma once
// Many small frames in one buffer at once: what a busy connection's segments hold. One after the other, each
// frame costs a branch that its size decides, which nobody can predict.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/frame/opcode.h"

namespace millrace::ws {

// Messages of at most 125 bytes where they lie in the input, unmasked.
class SmallMessages {
  public:
    static constexpr std::size_t kMost = 64;

    // Takes the frames at the front of `in` that are each a whole message (FIN, kText or kBinary, no reserved
    // bit, masked if a server receives it and not if a client does) of at most `limit` bytes (not more than
    // 125). The first frame that is not, or is cut, ends them; nothing from there on is touched. None at all
    // are taken, and nothing is touched, where they are too few to be worth it. Their headers are zeros
    // afterwards. Returns the bytes that frames and headers occupied.
    std::size_t take(std::span<std::byte> in, std::size_t limit, Role receiver);

    std::size_t size() const { return count_; }
    std::size_t texts() const { return texts_; }  // of them
    bool all_ascii() const { return ascii_; }     // texts and others
    std::span<std::byte> payload(std::size_t i) const { return {base_ + places_[i].at, places_[i].size}; }
    Opcode opcode(std::size_t i) const { return places_[i].opcode; }

    // A frame's payload in the input; one word, since each store counts.
    struct Place {
        std::uint16_t at;
        std::uint8_t size;
        Opcode opcode;  // kText or kBinary
    };
    struct Found {
        std::size_t bytes = 0;
        std::uint32_t count = 0;
        std::uint32_t texts = 0;
        bool ascii = true;
    };

  private:
    std::byte* base_ = nullptr;
    std::size_t count_ = 0;
    std::size_t texts_ = 0;
    bool ascii_ = true;
    std::array<Place, kMost> places_;
};

}  // namespace millrace::ws
