#include "engine/fanout/request.h"

namespace millrace::fanout {

std::string_view to_string(ErrorCode code) {
    switch (code) {
        case ErrorCode::kNone:
            return "no error";
        case ErrorCode::kMalformed:
            return "the message is malformed";
        case ErrorCode::kUnknownRequest:
            return "there is no such request here";
        case ErrorCode::kUnknownMember:
            return "the request has a member that is not known";
        case ErrorCode::kWrongValue:
            return "a value is missing, there twice, of the wrong type or out of range";
        case ErrorCode::kTooLong:
            return "the request or a part of it is too long";
        case ErrorCode::kTooManyTopics:
            return "too many topics in one request";
        case ErrorCode::kBadTopic:
            return "not a topic";
        case ErrorCode::kTooManySubscriptions:
            return "too many subscriptions on this connection";
        case ErrorCode::kServerFull:
            return "the server has no room for it";
        case ErrorCode::kBusy:
            return "the server is busy and did not take the message";
        case ErrorCode::kNotSubscribed:
            return "not subscribed to it";
        case ErrorCode::kNotAllowed:
            return "not allowed";
    }
    return "unknown";
}

}  // namespace millrace::fanout
