#pragma once
// Incremental UTF-8 validation (RFC 3629), failing at the first byte that cannot be right (RFC 6455
// section 8.1), across any cut of the input.

#include <cstddef>
#include <cstdint>
#include <span>

namespace millrace::ws {

class Utf8Validator {
  public:
    // False as soon as the bytes so far cannot begin a valid text, and ever after until reset().
    bool feed(std::span<const std::byte> bytes);
    // The same, a byte at a time: the oracle.
    bool feed_scalar(std::span<const std::byte> bytes);
    // Whether the text may end here.
    bool complete() const { return state_ == 0; }
    void reset() { state_ = 0; }

  private:
    std::uint8_t state_ = 0;  // 0: between characters; others in utf8.cc
};

// Whether `bytes` are a whole valid text.
inline bool is_utf8(std::span<const std::byte> bytes) {
    Utf8Validator validator;
    return validator.feed(bytes) && validator.complete();
}

}  // namespace millrace::ws
