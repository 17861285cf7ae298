#pragma once
// What a subscriber knows of the topics that it is sent: their names, and whether any message is missing,
// comes twice or out of order. Sans-I/O; for millrace.v1.

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "engine/fanout/publication.h"
#include "engine/fanout/reply.h"

namespace millrace::fanout {

class Following {
  public:
    // `conflated`: values may be left out, but never come after newer ones.
    explicit Following(bool conflated = false) : conflated_(conflated) {}

    // False: there are too many topics.
    bool learn(const Notice& notice);
    // False: the topic was never named, which breaks the protocol.
    bool take(const Publication& publication);

    // Empty: never named.
    std::string_view name(TopicId id) const;
    std::size_t topics() const { return topics_.size(); }
    std::uint64_t skipped() const { return skipped_; }    // as the server said
    std::uint64_t gaps() const { return gaps_; }          // as the server said
    std::uint64_t missing() const { return missing_; }    // without a word
    std::uint64_t repeated() const { return repeated_; }  // or older than what came before

  private:
    static constexpr std::size_t kMaxTopics = 4u << 20;

    struct Topic {
        std::string name;
        Position next;
    };

    bool conflated_;
    std::unordered_map<TopicId, Topic> topics_;
    std::uint64_t skipped_ = 0, gaps_ = 0, missing_ = 0, repeated_ = 0;
};

}  // namespace millrace::fanout
