#pragma once
// A received message as the application sees it: its bytes where they lie. One part when the message came in
// one buffer (nothing was copied), several when it spanned more.

#include <cstddef>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

#include "engine/frame/opcode.h"

namespace millrace {

using Parts = std::span<const std::span<std::byte>>;

class Message {
  public:
    // `parts` stays valid until the handler's on_message() returns; the bytes may be changed.
    Message(ws::Opcode opcode, Parts parts) : parts_(parts), opcode_(opcode) {}

    ws::Opcode opcode() const { return opcode_; }
    bool is_text() const { return opcode_ == ws::Opcode::kText; }
    Parts parts() const { return parts_; }

    std::size_t size() const {
        std::size_t bytes = 0;
        for (const auto part : parts_)
            bytes += part.size();
        return bytes;
    }

    // The message in one piece: without a copy when it is in one part, else joined in `scratch`.
    std::span<const std::byte> contiguous(std::vector<std::byte>& scratch) const {
        if (parts_.empty()) return {};
        if (parts_.size() == 1) return parts_[0];
        scratch.clear();
        for (const auto part : parts_)
            scratch.insert(scratch.end(), part.begin(), part.end());
        return scratch;
    }

    std::string_view text(std::vector<std::byte>& scratch) const {
        const auto bytes = contiguous(scratch);
        return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    }

  private:
    Parts parts_;
    ws::Opcode opcode_;
};

}  // namespace millrace
