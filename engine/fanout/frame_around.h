#pragma once
// WebSocket frames around what is appended to a vector.

#include <cstddef>
#include <cstring>
#include <vector>

#include "engine/frame/encode.h"

namespace millrace::fanout {

// Appends the header of a frame whose payload has `size` bytes, and room for the first `fixed` of them, whose
// place is returned; the caller appends the rest.
inline std::byte* begin_frame(std::vector<std::byte>& out, ws::Opcode opcode, std::size_t fixed,
                              std::size_t size) {
    const std::size_t begin = out.size();
    const std::size_t header = ws::header_size(size, false);
    out.resize(begin + header + fixed);
    ws::encode_header(out.data() + begin, opcode, true, size, std::nullopt);
    return out.data() + begin + header;
}

// A frame whose payload's size is known only when it is closed.
class FrameAround {
  public:
    // Leaves room for the header that most messages have.
    FrameAround(std::vector<std::byte>& out, ws::Opcode opcode)
        : out_(&out), opcode_(opcode), begin_(out.size()) {
        out.resize(begin_ + kUsualHeader);
    }
    // Payloads below 126 and from 65,536 bytes are moved to where their header ends.
    void close() {
        const std::size_t payload = out_->size() - begin_ - kUsualHeader;
        const std::size_t header = ws::header_size(payload, false);
        if (header > kUsualHeader) out_->resize(begin_ + header + payload);
        if (header != kUsualHeader)
            std::memmove(out_->data() + begin_ + header, out_->data() + begin_ + kUsualHeader, payload);
        if (header < kUsualHeader) out_->resize(begin_ + header + payload);
        ws::encode_header(out_->data() + begin_, opcode_, true, payload, std::nullopt);
    }

  private:
    static constexpr std::size_t kUsualHeader = 4;

    std::vector<std::byte>* out_;
    ws::Opcode opcode_;
    std::size_t begin_;
};

}  // namespace millrace::fanout
