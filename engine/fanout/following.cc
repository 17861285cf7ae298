#include "engine/fanout/following.h"

namespace millrace::fanout {

bool Following::learn(const Notice& notice) {
    if (notice.kind == Notice::Kind::kTopic) {
        if (topics_.size() == kMaxTopics && !topics_.contains(notice.topic_id)) return false;
        topics_[notice.topic_id] = {std::string(notice.topic), notice.position};
        return true;
    }
    if (notice.kind == Notice::Kind::kSkipped)
        skipped_ += notice.count;
    else
        ++gaps_;
    if (const auto at = topics_.find(notice.topic_id); at != topics_.end()) at->second.next = notice.position;
    return true;
}

bool Following::take(const Publication& publication) {
    const auto at = topics_.find(publication.topic_id);
    if (at == topics_.end()) return false;
    if (publication.snapshot) return true;  // an old value, asked for
    Position& next = at->second.next;
    const Position& here = publication.position;
    if (here.epoch == next.epoch && here.sequence < next.sequence) {
        ++repeated_;
        return true;
    }
    // Another epoch is another server's count: what it left out cannot be known.
    if (here.epoch == next.epoch && !conflated_) missing_ += here.sequence - next.sequence;
    next = {here.epoch, here.sequence + 1};
    return true;
}

std::string_view Following::name(TopicId id) const {
    const auto at = topics_.find(id);
    return at == topics_.end() ? std::string_view() : std::string_view(at->second.name);
}

}  // namespace millrace::fanout
