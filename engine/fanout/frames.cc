// Records of the log become frames: for all who keep up, or for one who does not.

#include <algorithm>

#include "engine/fanout/encode.h"
#include "engine/fanout/hub.h"

namespace millrace::fanout {

Publication Hub::publication_of(const Log::Record& r) const {
    return {.topic_id = r.topic,
            .topic = topics_.name(r.topic),
            .position = {.epoch = config_.epoch, .sequence = r.sequence},
            .time_ns = r.time_ns,
            .content = static_cast<Content>(r.content),
            .snapshot = false,
            .key = log_.key(r),
            .payload = log_.payload(r)};
}

// With a notice of what is missing before it.
void Hub::encode_record(Dialect dialect, const Log::Record& r, bool snapshot,
                        std::vector<std::byte>& out) const {
    Publication p = publication_of(r);
    p.snapshot = snapshot;
    if (r.missing != 0 && !snapshot)
        encode(dialect,
               Notice{.kind = Notice::Kind::kSkipped,
                      .topic_id = r.topic,
                      .topic = p.topic,
                      .position = p.position,
                      .count = r.missing},
               out);
    encode(dialect, p, out);
}

// The next run, if anything was logged that has not been delivered. What nobody has subscribed to is passed.
bool Hub::next_run() {
    Offset here = log_.settle(run_.end);
    while (here != log_.end() && (log_.at(here).kept || subscriptions_.count(log_.at(here).topic) == 0))
        here = log_.after(here);
    run_ = {.topic = kNoTopic, .begin = here, .end = here, .messages = 0};
    if (here == log_.end()) return false;
    run_.topic = log_.at(here).topic;
    std::size_t bytes = 0;
    do {
        bytes += log_.at(run_.end).payload_bytes;
        ++run_.messages;
        run_.end = log_.after(run_.end);
    } while (run_.end != log_.end() && bytes < kBatchBytes && log_.at(run_.end).topic == run_.topic &&
             !log_.at(run_.end).kept);
    run_dialect_ = 0;
    return true;
}

void Hub::begin_dialect() {
    frames_.clear();
    const auto dialect = static_cast<Dialect>(run_dialect_);
    for (Offset here = run_.begin; here != run_.end; here = log_.after(here))
        encode_record(dialect, log_.at(here), false, frames_);
    subscriptions_.begin_pass(run_.topic, dialect);
    pass_under_way_ = true;
}

// What the subscriber has to know before its next message.
void Hub::encode_notices(Subscription& s, Dialect dialect) {
    const std::uint64_t next = s.snapshot                  ? log_.chain(s.topic).sequence + 1
                               : s.stage == Stage::kValues ? full_sequence(s) + 1
                                                           : full_sequence(s);
    Notice notice{.topic_id = s.topic,
                  .topic = topics_.name(s.topic),
                  .position = {.epoch = config_.epoch, .sequence = next}};
    const auto say = [&](Notice::Kind kind, std::uint64_t count) {
        notice.kind = kind;
        notice.count = count;
        encode(dialect, notice, own_);
    };
    if (s.untold) say(Notice::Kind::kTopic, 0);
    if (s.gap) say(Notice::Kind::kGap, 0);
    if (s.skipped != 0) say(Notice::Kind::kSkipped, s.skipped);
    s.untold = s.gap = false;
    s.skipped = 0;
}

// Into own_, with the subscription as it is when that has been sent. The number of messages.
std::uint32_t Hub::fill(Subscription& s, Dialect dialect, Offset until, std::uint32_t now_ms) {
    own_.clear();
    encode_notices(s, dialect);
    return s.stage == Stage::kValues ? fill_values(s, dialect, now_ms) : fill_replay(s, dialect, until);
}

std::uint32_t Hub::fill_replay(Subscription& s, Dialect dialect, Offset until) {
    std::uint32_t messages = 0;
    Offset here = until == 0 ? kNowhere : place_of(s);
    if (here == kNowhere) return 0;
    while (here != kNowhere && here < until && own_.size() < kBatchBytes) {
        const Log::Record& r = log_.at(here);
        encode_record(dialect, r, false, own_);
        ++messages;
        here = r.next;
        s.sequence = static_cast<std::uint32_t>(r.sequence + 1);
        s.at = 0;
    }
    if (here != kNowhere) stand_at(s, here);
    return messages;
}

// The values that have changed since the last one told, in the order in which they did. When all have been
// told, a snapshot is over.
std::uint32_t Hub::fill_values(Subscription& s, Dialect dialect, std::uint32_t now_ms) {
    const std::uint64_t told = full_sequence(s);
    const LastValues& values = log_.values();
    keys_.clear();
    for (KeyId key = values.newest(s.topic); key != kNoKey && values[key].sequence > told;
         key = values.older(key))
        keys_.push_back(key);
    std::uint64_t reached = told;
    std::uint32_t messages = 0;
    while (!keys_.empty() && own_.size() < kBatchBytes) {
        const LastValues::Key& key = values[keys_.back()];
        encode_record(dialect, log_.at(key.last), s.snapshot, own_);
        ++messages;
        reached = key.sequence;
        keys_.pop_back();
    }
    if (keys_.empty()) reached = log_.chain(s.topic).sequence;
    if (!s.snapshot) counters_.conflated.add(reached - told - messages);
    s.sequence = static_cast<std::uint32_t>(reached);
    if (!keys_.empty()) return messages;
    s.snapshot = false;
    s.at = s.interval == 0 ? 0 : now_ms + s.interval;
    if (s.conflate) return messages;
    s.stage = Stage::kReplay;
    s.sequence = static_cast<std::uint32_t>(reached + 1);
    s.at = 0;
    return messages;
}

}  // namespace millrace::fanout
