#include "engine/publish/item.h"

#include "engine/fanout/json_document.h"
#include "engine/utf8/utf8.h"

namespace millrace::publish {

fanout::Content content_of(std::string_view payload) {
    static thread_local fanout::JsonDocument document;
    const auto bytes = std::as_bytes(std::span(payload));
    if (document.parse(bytes)) return fanout::Content::kJson;
    return ws::is_utf8(bytes) ? fanout::Content::kText : fanout::Content::kBinary;
}

}  // namespace millrace::publish
