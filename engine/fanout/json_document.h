#pragma once
// A JSON text that was read and checked whole, by simdjson.

#include <simdjson.h>

#include <cstddef>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace millrace::fanout {

class JsonDocument {
  public:
    // One value and nothing besides? Numbers are read as well: integers beyond 64 bits are refused.
    bool parse(std::span<const std::byte> text) {
        copy_.resize(text.size() + simdjson::SIMDJSON_PADDING);
        if (!text.empty()) std::memcpy(copy_.data(), text.data(), text.size());
        size_ = text.size();
        return parser_.parse(copy_.data(), size_, false).get(root_) == simdjson::SUCCESS;
    }
    const simdjson::dom::element& root() const { return root_; }

    // The text of a member of the root as it was written; the member is there.
    std::string_view text_of(std::string_view member) {
        simdjson::ondemand::document document;
        simdjson::ondemand::value value;
        std::string_view text;
        const simdjson::padded_string_view copy(copy_.data(), size_, copy_.size());
        if (walker_.iterate(copy).get(document) || document.find_field_unordered(member).get(value) ||
            simdjson::to_json_string(value).get(text))
            return {};
        return text.substr(0, text.find_last_not_of(" \t\r\n") + 1);
    }

  private:
    simdjson::dom::parser parser_;
    simdjson::ondemand::parser walker_;
    simdjson::dom::element root_;
    std::vector<char> copy_;
    std::size_t size_ = 0;
};

}  // namespace millrace::fanout
