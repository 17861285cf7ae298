#pragma once
// A subscriber's or publisher's side of millrace.v1: what the server says, and what it is asked.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "engine/fanout/binary_layout.h"
#include "engine/fanout/reply.h"

namespace millrace::fanout {

// One message of the server; what it refers to lies in the message.
struct ServerMessage {
    enum class Kind : std::uint8_t { kPublication, kNotice, kReply };

    Kind kind{};
    Publication publication;  // without the topic's name
    Notice notice;            // without the topic's name but for kTopic
    struct {
        std::uint32_t id;
        Request::Kind kind;
        ErrorCode error;
        std::span<const std::byte> rest;  // of an error: the topic; of a list: for binary::each_name()
    } reply{};
};

// False: the message breaks the layout.
bool decode(std::span<const std::byte> message, ServerMessage& out);

// Appends a request as one binary message's payload. Topics, key and payload have to be valid; request.id is
// not looked at.
void encode_request(std::uint32_t id, const Request& request, std::vector<std::byte>& out);

}  // namespace millrace::fanout
