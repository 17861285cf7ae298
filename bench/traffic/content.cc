#include "bench/traffic/content.h"

#include <fmt/format.h>

#include <cstring>

#include "bench/traffic/split_mix.h"
#include "engine/options/units.h"

namespace millrace::bench {

namespace {

// Whether the message's parts, one after the other, are `bytes`.
bool same(const Message& message, std::span<const std::byte> bytes) {
    if (message.size() != bytes.size()) return false;
    for (const auto part : message.parts()) {
        if (std::memcmp(part.data(), bytes.data(), part.size()) != 0) return false;
        bytes = bytes.subspan(part.size());
    }
    return true;
}

}  // namespace

Expected<SizeRange> parse_sizes(std::string_view text) {
    const std::size_t dash = text.find('-');
    const auto least = parse_bytes(text.substr(0, dash));
    if (!least) return tl::unexpected(least.error());
    if (dash == text.npos) return SizeRange{*least, *least};
    const auto most = parse_bytes(text.substr(dash + 1));
    if (!most) return tl::unexpected(most.error());
    if (*most < *least)
        return fail(fmt::format("'{}' ends before it begins: write the sizes as 64B-4KiB", text));
    return SizeRange{*least, *most};
}

Content::Content(const ContentOptions& options)
    : options_(options),
      pattern_(options.seed),
      opcode_(options.text.empty() || options.binary ? ws::Opcode::kBinary : ws::Opcode::kText),
      scratch_(options.text.empty() ? options.sizes.most : 0) {}

std::size_t Content::size_of(std::uint32_t number, std::uint32_t sequence) const {
    const std::uint64_t choices = options_.sizes.most - options_.sizes.least + 1;
    if (choices == 1) return options_.sizes.least;
    const std::uint64_t message = std::uint64_t{number} << 32 | sequence;
    return options_.sizes.least + mix(message + options_.seed * kGoldenRatio) % choices;
}

std::span<const std::byte> Content::make(std::uint32_t number, std::uint32_t sequence) {
    if (!options_.text.empty()) return std::as_bytes(std::span(options_.text));
    const std::span<std::byte> payload(scratch_.data(), size_of(number, sequence));
    pattern_.fill(payload, number, sequence);
    return payload;
}

bool Content::matches(const Message& message, std::uint32_t number, std::uint32_t sequence) const {
    if (message.opcode() != opcode_) return false;
    if (!options_.text.empty()) return same(message, std::as_bytes(std::span(options_.text)));
    return message.size() == size_of(number, sequence) && pattern_.matches(message, number, sequence);
}

}  // namespace millrace::bench
