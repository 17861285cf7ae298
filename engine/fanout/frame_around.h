#pragma once
// A WebSocket frame around what is appended after it has begun, when the payload's size is known only then.

#include <cstddef>
#include <cstring>
#include <vector>

#include "engine/frame/encode.h"

namespace millrace::fanout {

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
