#include "engine/publish/recording.h"

#include <array>
#include <charconv>

#include "engine/fanout/json_document.h"

namespace millrace::publish {

Expected<Recording> Recording::open(const std::string& path, bool whole) {
    const gzFile file = ::gzopen(path.c_str(), "rb");
    if (file == nullptr) return fail("cannot read " + path + ": give --replay a file that is there");
    ::gzbuffer(file, 128u << 10);
    return Recording(file, whole);
}

Recording::Recording(gzFile file, bool whole)
    : file_(file), whole_(whole), document_(std::make_unique<fanout::JsonDocument>()) {}
Recording::Recording(Recording&&) noexcept = default;
Recording::~Recording() = default;

Next Recording::next(Item& out) {
    while (read_line()) {
        if (take_line(out)) return Next::kItem;
        ++passed_over_;
    }
    return Next::kEnd;
}

bool Recording::read_line() {
    std::array<char, 16384> part;
    line_.clear();
    while (::gzgets(file_.get(), part.data(), static_cast<int>(part.size())) != nullptr) {
        line_ += part.data();
        if (line_.ends_with('\n')) {
            line_.pop_back();
            return true;
        }
    }
    int error = Z_OK;
    ::gzerror(file_.get(), &error);
    // A compressed file that was cut off ends so, or with a CRC that does not fit.
    broken_ = error != Z_OK && error != Z_STREAM_END;
    return !line_.empty() && !broken_;
}

bool Recording::take_line(Item& out) {
    std::uint64_t time = 0;
    const auto [end, error] = std::from_chars(line_.data(), line_.data() + line_.size(), time);
    if (error != std::errc() || end == line_.data() + line_.size() || *end != ' ') return false;
    const std::string_view message(end + 1, line_.data() + line_.size());
    std::string_view stream;
    simdjson::dom::element data;
    if (!document_->parse(std::as_bytes(std::span(message))) || document_->root()["stream"].get(stream) ||
        document_->root()["data"].get(data) || !fanout::is_topic(stream))
        return false;
    if (first_ns_ == 0) first_ns_ = time;
    out.due = time < first_ns_ ? Duration{} : Duration(static_cast<Duration::rep>(time - first_ns_));
    out.topic = stream;
    out.key.clear();
    out.payload = whole_ ? message : document_->text_of("data");
    out.content = fanout::Content::kJson;
    return true;
}

}  // namespace millrace::publish
