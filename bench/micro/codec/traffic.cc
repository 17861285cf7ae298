#include "bench/micro/codec/traffic.h"

#include <random>

#include "engine/frame/encode.h"
#include "engine/mask/mask.h"

namespace millrace::bench {

constexpr std::size_t kFrames = 16384;
constexpr std::size_t kSegment = 16 << 10;

Traffic::Traffic(ws::Opcode opcode, Sizes sizes, ws::Role receiver)
    : sizes_(sizes), header_(ws::header_size(sizes.most, receiver == ws::Role::kServer)) {
    std::mt19937 random(1);
    std::uniform_int_distribution<std::size_t> any_size(sizes.least, sizes.most);
    std::vector<std::size_t> starts;
    for (frames_ = 0; frames_ < kFrames; ++frames_) {
        starts.push_back(wire_.size());
        const std::size_t size = any_size(random);
        const auto key = static_cast<ws::MaskKey>(random());
        std::byte header[ws::kMaxHeader];
        const bool masked = receiver == ws::Role::kServer;
        wire_.insert(wire_.end(), header,
                     header + ws::encode_header(header, opcode, true, size,
                                                masked ? std::optional(key) : std::nullopt));
        for (std::size_t i = 0; i < size; ++i)
            wire_.push_back(static_cast<std::byte>('a' + random() % 26));
        const auto payload = std::span(wire_).last(size);
        payloads_.append(payload.data(), payload.size());
        if (masked) ws::apply_mask_scalar(payload, key);
    }
    starts.push_back(wire_.size());
    for (std::size_t from = 0, to = 0; from < frames_; from = to) {
        while (to < frames_ && starts[to + 1] - starts[from] <= kSegment)
            ++to;
        segments_.push_back({std::span(wire_).subspan(starts[from], starts[to] - starts[from]), to - from});
    }
}

}  // namespace millrace::bench
