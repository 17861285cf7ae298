#pragma once
// JSON appended to bytes. Nothing is allocated as long as there is capacity.

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace millrace::fanout {

class JsonText {
  public:
    explicit JsonText(std::vector<std::byte>& out) : out_(&out) {}

    // As it is.
    JsonText& raw(std::string_view text) { return raw(std::as_bytes(std::span(text))); }
    JsonText& raw(std::span<const std::byte> bytes) {
        out_->insert(out_->end(), bytes.begin(), bytes.end());
        return *this;
    }
    JsonText& number(std::uint64_t value) {
        std::array<char, 20> digits;
        const auto end = std::to_chars(digits.begin(), digits.end(), value).ptr;
        return raw(std::string_view(digits.begin(), end));
    }
    // A string of UTF-8, in its quotes (RFC 8259 section 7).
    JsonText& string(std::string_view text) {
        raw("\"");
        while (!text.empty()) {
            const auto plain = static_cast<std::size_t>(
                std::find_if(text.begin(), text.end(), must_be_escaped) - text.begin());
            raw(text.substr(0, plain));
            if (plain < text.size()) escape(static_cast<unsigned char>(text[plain]));
            text.remove_prefix(std::min(plain + 1, text.size()));
        }
        return raw("\"");
    }
    JsonText& strings(std::span<const std::string_view> texts) {
        raw("[");
        for (const std::string_view& text : texts) {
            if (&text != &texts.front()) raw(",");
            string(text);
        }
        return raw("]");
    }
    // As a string of base64 (RFC 4648 section 4).
    JsonText& base64(std::span<const std::byte> bytes) {
        constexpr std::size_t kAtOnce = 48;
        raw("\"");
        while (!bytes.empty()) {
            const auto part = bytes.first(std::min(bytes.size(), kAtOnce));
            std::array<unsigned char, kAtOnce / 3 * 4 + 1> digits;  // and a zero
            const int n =
                ::EVP_EncodeBlock(digits.data(), reinterpret_cast<const unsigned char*>(part.data()),
                                  static_cast<int>(part.size()));
            raw(std::as_bytes(std::span(digits).first(static_cast<std::size_t>(n))));
            bytes = bytes.subspan(part.size());
        }
        return raw("\"");
    }

  private:
    static bool must_be_escaped(char c) {
        return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\';
    }
    void escape(unsigned char c) {
        constexpr std::string_view kDigits = "0123456789abcdef";
        if (c == '"' || c == '\\') {
            raw(c == '"' ? "\\\"" : "\\\\");
        } else {
            raw("\\u00").raw(kDigits.substr(c >> 4, 1)).raw(kDigits.substr(c & 15u, 1));
        }
    }

    std::vector<std::byte>* out_;
};

}  // namespace millrace::fanout
