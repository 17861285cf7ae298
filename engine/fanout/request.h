#pragma once
// What subscribers and publishers ask for, the same from every dialect.

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "engine/fanout/publication.h"

namespace millrace::fanout {

inline constexpr std::size_t kMaxRequestTopics = 1024;       // of one request
inline constexpr std::size_t kMaxRequestBytes = 256u << 10;  // of one that is no publication
inline constexpr std::size_t kMaxIdBytes = 64;

// What becomes of a subscription whose subscriber does not keep up.
enum class SlowPolicy : std::uint8_t {
    kDefault,     // the server's
    kConflate,    // for each key only the last value waits
    kDropOldest,  // what is beyond the limit is skipped, and the subscriber told how many
    kDisconnect,
};

struct Options {
    bool snapshot = false;  // the last value of each key first
    // Resume: all from this position on, it included, else a gap is told and a snapshot sent. Epoch 0:
    // whichever.
    std::optional<Position> from;
    bool conflate = false;  // for each key only the last value, also when the subscriber keeps up
    std::uint32_t max_rate =
        0;  // with conflate: messages a second and key at most; 0: as many as there is room for
    SlowPolicy slow = SlowPolicy::kDefault;

    bool operator==(const Options&) const = default;
};

// By which a reply is known. In the JSON dialects an integer or a string as it was written, quotes included,
// or `null` when there was none; in the binary one a number in decimal. A view into the request.
using RequestId = std::string_view;

struct Request {
    enum class Kind : std::uint8_t { kSubscribe, kUnsubscribe, kList, kPublish };

    Kind kind = Kind::kList;
    RequestId id = "null";
    std::vector<std::string_view> topics;  // patterns that are valid; none but for subscribe and unsubscribe
    Options options;
    Publication publication;   // kPublish: topic, key, content and payload
    bool acknowledge = false;  // kPublish: an answer is wanted when it went well, too; errors are always told
};

// Why a request was refused. The values are part of the protocol (README.md).
enum class ErrorCode : std::uint8_t {
    kNone = 0,
    kMalformed = 1,       // not JSON, not the binary layout, or a message of the wrong type
    kUnknownRequest = 2,  // no such operation, or not here
    kUnknownMember = 3,
    kWrongValue = 4,     // of the wrong type, out of range, missing, or there twice
    kTooLong = 5,        // the request, a topic, a key, an id, or a payload
    kTooManyTopics = 6,  // in one request
    kBadTopic = 7,       // neither a name nor a pattern; for a publication: no name
    kTooManySubscriptions = 8,
    kServerFull = 9,      // of topics, patterns, or memory for either
    kBusy = 10,           // a publication found no room and was not taken
    kNotSubscribed = 11,  // unsubscribe
    kNotAllowed = 12,
};

// One sentence in ASCII without quotes or backslashes.
std::string_view to_string(ErrorCode code);

}  // namespace millrace::fanout
