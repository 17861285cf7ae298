// RequestReader, for the JSON dialects.

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <limits>

#include "engine/fanout/binary_layout.h"
#include "engine/fanout/json_document.h"
#include "engine/fanout/json_text.h"
#include "engine/fanout/read_request.h"

namespace millrace::fanout {

using simdjson::dom::element;
using simdjson::dom::object;

// The members of an object by their places in a list of names.
struct RequestReader::Fields {
    static constexpr std::size_t kMost = 12;
    std::array<std::optional<element>, kMost> values;

    bool has(std::size_t member) const { return values[member].has_value(); }
    template <class T>
    bool get(std::size_t member, T& out) const {
        return has(member) && values[member]->get(out) == simdjson::SUCCESS;
    }
    // What is wrong first is told; the rest is gathered all the same, for the id may be among it.
    ErrorCode gather(const object& from, std::span<const std::string_view> names) {
        ErrorCode error = ErrorCode::kNone;
        for (const auto [key, value] : from) {
            const auto at =
                static_cast<std::size_t>(std::find(names.begin(), names.end(), key) - names.begin());
            const bool known = at < names.size();
            if (error == ErrorCode::kNone && (!known || has(at)))
                error = known ? ErrorCode::kWrongValue : ErrorCode::kUnknownMember;
            if (known) values[at] = value;
        }
        return error;
    }
    bool only(std::initializer_list<std::size_t> members) const {
        for (std::size_t i = 0; i < kMost; ++i)
            if (has(i) && std::find(members.begin(), members.end(), i) == members.end()) return false;
        return true;
    }
};

namespace {

enum Member : std::size_t {
    kOp,
    kId,
    kTopics,
    kSnapshot,
    kFrom,
    kConflate,
    kSlow,
    kTopic,
    kKey,
    kData,
    kText,
    kBase64
};
constexpr std::array<std::string_view, 12> kMembers = {
    "op", "id", "topics", "snapshot", "from", "conflate", "slow", "topic", "key", "data", "text", "base64"};

enum StreamMember : std::size_t { kMethod, kParams, kStreamId };
constexpr std::array<std::string_view, 3> kStreamMembers = {"method", "params", "id"};

constexpr std::array<std::string_view, 4> kSlowPolicies = {"default", "conflate", "drop-oldest",
                                                           "disconnect"};

// RFC 4648 section 4, with its padding and nothing besides.
bool decode_base64(std::string_view text, std::vector<std::byte>& out) {
    out.clear();
    if (text.empty()) return true;
    const std::size_t padded = text.find('=');
    const std::size_t padding = padded == text.npos ? 0 : text.size() - padded;
    // OpenSSL would pass over white space around it, and over padding in the middle.
    if (text.size() % 4 != 0 || padding > 2 || text.find_first_of(" \t\r\n") != text.npos ||
        text.find_first_not_of('=', padded) != text.npos)
        return false;
    out.resize(text.size() / 4 * 3);
    const int n =
        ::EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                          reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
    if (n != static_cast<int>(out.size())) return false;
    out.resize(out.size() - padding);
    return true;
}

// A whole number of so many bits.
template <class Number>
bool get_number(const element& from, Number& out) {
    std::uint64_t value = 0;
    if (from.get(value) != simdjson::SUCCESS || value > std::numeric_limits<Number>::max()) return false;
    out = static_cast<Number>(value);
    return true;
}

// {"epoch":1,"seq":2}; without an epoch, whichever it is.
bool read_from(const object& from, Position& out) {
    bool sequenced = false;
    for (const auto [key, value] : from) {
        const bool good =
            key == "epoch" ? get_number(value, out.epoch) : key == "seq" && get_number(value, out.sequence);
        if (!good) return false;
        sequenced |= key == "seq";
    }
    return sequenced;
}

// true, or {"rate":10}
bool read_conflate(const element& from, Options& out) {
    if (from.get(out.conflate) == simdjson::SUCCESS) return true;
    object members;
    if (from.get(members) != simdjson::SUCCESS) return false;
    out.conflate = true;
    for (const auto [key, value] : members)
        if (key != "rate" || !get_number(value, out.max_rate)) return false;
    return true;
}

}  // namespace

ErrorCode RequestReader::read_json(std::span<const std::byte> message, Request& out) {
    object root;
    if (!document_->parse(message) || document_->root().get(root)) return ErrorCode::kMalformed;
    Fields fields;
    const ErrorCode gathered = fields.gather(root, kMembers);
    if (const ErrorCode error = read_id(fields, kId, out); error != ErrorCode::kNone) return error;
    if (gathered != ErrorCode::kNone) return gathered;
    std::string_view op;
    if (!fields.get(kOp, op)) return ErrorCode::kWrongValue;
    if (op == "subscribe") {
        out.kind = Request::Kind::kSubscribe;
        if (!fields.only({kOp, kId, kTopics, kSnapshot, kFrom, kConflate, kSlow}))
            return ErrorCode::kUnknownMember;
        const ErrorCode error = read_options(fields, out.options);
        return error != ErrorCode::kNone ? error : read_topics(fields, kTopics, out);
    }
    if (op == "unsubscribe") {
        out.kind = Request::Kind::kUnsubscribe;
        return fields.only({kOp, kId, kTopics}) ? read_topics(fields, kTopics, out)
                                                : ErrorCode::kUnknownMember;
    }
    if (op == "list") {
        out.kind = Request::Kind::kList;
        return fields.only({kOp, kId}) ? ErrorCode::kNone : ErrorCode::kUnknownMember;
    }
    return op == "publish" ? read_publication(fields, out) : ErrorCode::kUnknownRequest;
}

ErrorCode RequestReader::read_stream(std::span<const std::byte> message, Request& out) {
    object root;
    if (!document_->parse(message) || document_->root().get(root)) return ErrorCode::kMalformed;
    Fields fields;
    const ErrorCode gathered = fields.gather(root, kStreamMembers);
    if (const ErrorCode error = read_id(fields, kStreamId, out); error != ErrorCode::kNone) return error;
    if (gathered != ErrorCode::kNone) return gathered;
    std::string_view method;
    if (!fields.get(kMethod, method)) return ErrorCode::kWrongValue;
    if (method == "SUBSCRIBE" || method == "UNSUBSCRIBE") {
        out.kind = method == "SUBSCRIBE" ? Request::Kind::kSubscribe : Request::Kind::kUnsubscribe;
        return read_topics(fields, kParams, out);
    }
    if (method != "LIST_SUBSCRIPTIONS") return ErrorCode::kUnknownRequest;
    out.kind = Request::Kind::kList;
    simdjson::dom::array params;
    const bool none = !fields.has(kParams) || (fields.get(kParams, params) && params.size() == 0);
    return none ? ErrorCode::kNone : ErrorCode::kWrongValue;
}

// A whole number, a string or null.
ErrorCode RequestReader::read_id(const Fields& fields, std::size_t member, Request& out) {
    if (!fields.has(member) || fields.values[member]->is_null()) return ErrorCode::kNone;
    id_.clear();
    JsonText text(id_);
    if (std::uint64_t number; fields.get(member, number)) {
        text.number(number);
    } else if (std::string_view string; fields.get(member, string)) {
        if (string.size() > kMaxIdBytes) return ErrorCode::kTooLong;
        text.string(string);
    } else {
        return ErrorCode::kWrongValue;
    }
    out.id = binary::text_of(id_);
    return ErrorCode::kNone;
}

ErrorCode RequestReader::read_topics(const Fields& fields, std::size_t member, Request& out) {
    simdjson::dom::array topics;
    if (!fields.get(member, topics) || topics.size() == 0) return ErrorCode::kWrongValue;
    for (const element topic : topics) {
        std::string_view name;
        if (topic.get(name) != simdjson::SUCCESS) return ErrorCode::kWrongValue;
        if (const ErrorCode error = add_topic(name, out); error != ErrorCode::kNone) return error;
    }
    return ErrorCode::kNone;
}

ErrorCode RequestReader::read_options(const Fields& fields, Options& out) {
    if (fields.has(kSnapshot) && !fields.get(kSnapshot, out.snapshot)) return ErrorCode::kWrongValue;
    if (fields.has(kFrom)) {
        object from;
        if (!fields.get(kFrom, from) || !read_from(from, out.from.emplace())) return ErrorCode::kWrongValue;
    }
    if (fields.has(kConflate) && !read_conflate(*fields.values[kConflate], out))
        return ErrorCode::kWrongValue;
    if (!fields.has(kSlow)) return ErrorCode::kNone;
    std::string_view slow;
    if (!fields.get(kSlow, slow)) return ErrorCode::kWrongValue;
    const auto at = std::find(kSlowPolicies.begin(), kSlowPolicies.end(), slow) - kSlowPolicies.begin();
    out.slow = static_cast<SlowPolicy>(at);
    return static_cast<std::size_t>(at) < kSlowPolicies.size() ? ErrorCode::kNone : ErrorCode::kWrongValue;
}

ErrorCode RequestReader::read_publication(const Fields& fields, Request& out) {
    out.kind = Request::Kind::kPublish;
    if (!fields.only({kOp, kId, kTopic, kKey, kData, kText, kBase64})) return ErrorCode::kUnknownMember;
    out.acknowledge = fields.has(kId);
    Publication& publication = out.publication;
    if (!fields.get(kTopic, publication.topic) || (fields.has(kKey) && !fields.get(kKey, publication.key)))
        return ErrorCode::kWrongValue;
    if (!is_topic(publication.topic)) return bad_topic(publication.topic);
    if (publication.key.size() > kMaxKeyBytes) return ErrorCode::kTooLong;
    if (fields.has(kKey) && !is_key(publication.key)) return ErrorCode::kWrongValue;
    return read_payload(fields, publication);
}

// Exactly one of three; simdjson has checked UTF-8 and JSON with the whole message.
ErrorCode RequestReader::read_payload(const Fields& fields, Publication& out) {
    if (fields.has(kData) + fields.has(kText) + fields.has(kBase64) != 1) return ErrorCode::kWrongValue;
    std::string_view text;
    if (fields.has(kData)) {
        out.content = Content::kJson;
        out.payload = std::as_bytes(std::span(document_->text_of("data")));
    } else if (fields.get(kText, text)) {
        out.content = Content::kText;
        out.payload = std::as_bytes(std::span(text));
    } else if (fields.get(kBase64, text) && decode_base64(text, decoded_)) {
        out.content = Content::kBinary;
        out.payload = decoded_;
    } else {
        return ErrorCode::kWrongValue;
    }
    return ErrorCode::kNone;
}

}  // namespace millrace::fanout
