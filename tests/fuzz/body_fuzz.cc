// The reader of requests' content (RFC 9112 sections 6.3 and 7.1): whole and in pieces it ends where the
// grammar, read once more by lines, says that it does, and nowhere beyond its limit.
//
// Input: one byte (1: chunked; the rest: how large pieces are), two bytes for the limit, and without chunks
// two more for the length, then what comes behind the head.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/http/body.h"
#include "engine/http/chars.h"
#include "tests/fuzz/program.h"

namespace {

using namespace millrace;
using fuzz::require;
using http::BodyStatus;

// The next line of `text`, which is advanced past its CRLF; nullopt when there is none or it has other
// control characters.
std::optional<std::string_view> next_line(std::string_view& text) {
    const std::size_t end = text.find('\r');
    if (end == text.npos || text.substr(end, 2) != "\r\n") return std::nullopt;
    const std::string_view line = text.substr(0, end);
    if (!std::all_of(line.begin(), line.end(), http::is_value_char)) return std::nullopt;
    text.remove_prefix(end + 2);
    return line;
}

bool is_hex(char c) {
    return std::string_view("0123456789abcdefABCDEF").find(c) != std::string_view::npos;
}

// chunk-size with what may stand behind it; nullopt for what is not, or more than `most`.
std::optional<std::uint64_t> chunk_size(std::string_view line, std::uint64_t most) {
    std::size_t digits = 0;
    std::uint64_t size = 0;
    for (; digits < line.size() && is_hex(line[digits]); ++digits) {
        size = size * 16 + std::stoul(std::string(1, line[digits]), nullptr, 16);
        if (size > most) return std::nullopt;
    }
    const bool extended = digits < line.size();
    if (digits == 0 || (extended && line[digits] != ';' && !http::is_space(line[digits])))
        return std::nullopt;
    return size;
}

// The octets of a chunked body that is complete, well-formed and within `limit`.
std::optional<std::size_t> chunked_length(std::string_view all, std::uint32_t limit) {
    std::string_view left = all;
    for (std::uint64_t size = 1; size != 0;) {
        const auto line = next_line(left);
        const auto given = line ? chunk_size(*line, limit) : std::nullopt;
        if (!given || *given > left.size()) return std::nullopt;
        size = *given;
        left.remove_prefix(size);
        if (size != 0 && !left.starts_with("\r\n")) return std::nullopt;
        if (size != 0) left.remove_prefix(2);
    }
    while (true) {
        const auto line = next_line(left);
        if (!line) return std::nullopt;
        if (line->empty()) break;
        const std::size_t colon = line->find(':');
        if (colon == line->npos || !http::is_token(line->substr(0, colon))) return std::nullopt;
    }
    const std::size_t length = all.size() - left.size();
    return length <= limit ? std::optional(length) : std::nullopt;
}

struct Outcome {
    BodyStatus status;
    std::size_t used;
};

// `piece`: the octets handed over at a time.
Outcome read(std::span<const std::byte> bytes, const http::Body& body, std::uint32_t limit,
             std::size_t piece) {
    http::BodyReader reader;
    BodyStatus status = reader.begin(body, limit);
    std::vector<std::byte> memory(bytes.begin(), bytes.end());
    std::size_t at = 0;
    while (status == BodyStatus::kMore && at < memory.size()) {
        const std::span<std::byte> here = std::span(memory).subspan(at, std::min(piece, memory.size() - at));
        std::span<std::byte> in = here;
        status = reader.skip(in);
        require(in.data() + in.size() == here.data() + here.size(), "what is left is not the input's end");
        require(status != BodyStatus::kMore || in.empty(), "it wants more and has not read all");
        at += here.size() - in.size();
    }
    return {status, at};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Program program(data, size);
    const unsigned choices = program.byte();
    const std::uint32_t limit = program.word();
    http::Body body{.framing = choices & 1 ? http::BodyFraming::kChunked : http::BodyFraming::kLength};
    if (!(choices & 1)) body.length = program.word();
    const auto bytes = std::as_bytes(program.bytes(size));

    const Outcome whole = read(bytes, body, limit, bytes.size());
    const Outcome parts = read(bytes, body, limit, 1 + (choices >> 1));
    require(whole.status == parts.status, "in pieces it has another verdict");
    // Behind a fault nothing on the connection is read, wherever it was noticed.
    const bool done = whole.status == BodyStatus::kDone;
    require(!done || whole.used == parts.used, "in pieces it ends elsewhere");
    require(whole.used <= limit + 1u, "it has read beyond the limit");

    std::optional<std::size_t> length;
    if (choices & 1)
        length = chunked_length({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, limit);
    else if (body.length <= std::min<std::uint64_t>(limit, bytes.size()))
        length = body.length;
    require(done == length.has_value(), "what is complete is not what the grammar says");
    require(!done || whole.used == *length, "it ends elsewhere than the grammar says");
    return 0;
}
