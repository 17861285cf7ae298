// The UTF-8 validator against simdjson: the same verdict on the whole, the same at any cut, and "no" exactly
// at the byte after which no text can become valid.
//
// Input: one byte that says where to cut, then the text.

#include <simdjson.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "engine/utf8/utf8.h"

namespace {

using millrace::ws::is_utf8;
using millrace::ws::Utf8Validator;

void require(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "utf8_fuzz: %s\n", what);
    std::abort();
}

// Whether some text that begins so is valid. By RFC 3629 the beginning of a character can be ended with 80,
// 90 or A0, whichever its first byte allows, and then with 80s.
bool can_become_valid(std::string text) {
    if (simdjson::validate_utf8(text)) return true;
    for (const char* tail : {"\x80", "\x90", "\xA0"})
        for (const char* rest : {"", "\x80", "\x80\x80"})
            if (simdjson::validate_utf8(text + tail + rest)) return true;
    return false;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 1) return 0;
    const auto bytes = std::as_bytes(std::span(data, size)).subspan(1);
    const std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    const bool valid = simdjson::validate_utf8(text);
    require(is_utf8(bytes) == valid, "not simdjson's verdict");

    const std::size_t cut = bytes.empty() ? 0 : data[0] % bytes.size();
    Utf8Validator in_two;
    const bool first = in_two.feed(bytes.first(cut));
    const bool second = in_two.feed(bytes.subspan(cut));
    require(first || !second, "a fault was forgotten");
    require((second && in_two.complete()) == valid, "another verdict when cut");

    Utf8Validator single;
    std::size_t good = 0;
    while (good < bytes.size() && single.feed(bytes.subspan(good, 1)))
        ++good;
    require(can_become_valid(text.substr(0, good)), "a fault was said too late");
    if (good < bytes.size())
        require(!can_become_valid(text.substr(0, good + 1)), "a fault was said too early");
    require((good == bytes.size()) == second, "another verdict byte by byte");
    return 0;
}
