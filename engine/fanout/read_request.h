#pragma once
// Requests out of messages, strictly: whatever a message is, it is a request or has an error code.

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "engine/fanout/dialect.h"
#include "engine/fanout/request.h"

namespace millrace::fanout {

class JsonDocument;

// One a shard: its buffers grow to the largest message and stay.
class RequestReader {
  public:
    // `most`: bytes of a message; longer ones are kTooLong.
    explicit RequestReader(std::size_t most = kMaxRequestBytes);
    ~RequestReader();

    // `text`: what kind of message it came as. What `out` refers to stays until the next read() or the
    // message's end. With an error, out.id is the request's as far as it could be read, and nothing else
    // holds.
    ErrorCode read(Dialect dialect, bool text, std::span<const std::byte> message, Request& out);

    // The topic that the last error was about, as far as it can be shown: empty, or printable ASCII.
    std::string_view culprit() const { return culprit_; }

  private:
    struct Fields;

    ErrorCode read_binary(std::span<const std::byte> message, Request& out);
    ErrorCode read_binary_subscribe(std::span<const std::byte> message, Request& out);
    ErrorCode read_binary_publish(std::span<const std::byte> message, Request& out);
    ErrorCode add_names(std::span<const std::byte> in, Request& out);

    ErrorCode read_json(std::span<const std::byte> message, Request& out);
    ErrorCode read_stream(std::span<const std::byte> message, Request& out);
    ErrorCode read_id(const Fields& fields, std::size_t member, Request& out);
    ErrorCode read_topics(const Fields& fields, std::size_t member, Request& out);
    ErrorCode read_options(const Fields& fields, Options& out);
    ErrorCode read_publication(const Fields& fields, Request& out);
    ErrorCode read_payload(const Fields& fields, Publication& out);

    ErrorCode add_topic(std::string_view pattern, Request& out);
    ErrorCode check_publication(const Publication& publication);
    ErrorCode bad_topic(std::string_view topic);

    std::size_t most_;
    std::unique_ptr<JsonDocument> document_;
    std::vector<std::byte> id_;       // what out.id refers to, when it is not in the message
    std::vector<std::byte> decoded_;  // a payload that came as base64
    std::string_view culprit_;
    std::array<char, kMaxTopicBytes> culprit_text_;
};

}  // namespace millrace::fanout
