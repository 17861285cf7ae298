#include "engine/mold/session.h"

#include <algorithm>

namespace millrace::mold {

bool Receiver::accept(std::span<const std::byte> packet, Time now) {
    Header header;
    if (!decode(packet, header)) {
        ++counters_.malformed;
        return false;
    }
    if (session_.value_or(header.session) != header.session) {
        ++counters_.strange;
        return false;
    }
    const std::uint64_t after = header.sequence + (header.has_messages() ? header.count : 0);
    bool fresh = false;
    const bool whole =
        each_message(packet, header, [&](std::uint64_t sequence, std::span<const std::byte> message) {
            if (next_ == 0) next_ = header.sequence;
            if (sequence < next_ || held_.contains(sequence)) return;
            held_.emplace(sequence, Bytes(message.begin(), message.end()));
            held_bytes_ += message.size();
            fresh = true;
        });
    if (!whole) {
        ++counters_.malformed;
        return false;
    }
    session_ = header.session;
    if (next_ == 0) next_ = header.sequence;  // a heartbeat is the first that comes
    if (header.count == kEndOfSession) end_ = header.sequence;
    if (header.has_messages() && !fresh) ++counters_.duplicates;
    if (!in_gap() && after > next_) asked_at_ = now;  // for a gap that begins with this packet
    highest_ = std::max(highest_, after);
    return true;
}

// What waits is in order again where held_ begins; or nothing waits, and a heartbeat has told of the rest.
void Receiver::give_up() {
    const std::uint64_t to = held_.empty() ? highest_ : held_.begin()->first;
    counters_.lost += to - next_;
    next_ = to;
    asked_ = 0;
}

bool Receiver::overdue(Time now) const {
    if (!in_gap()) return false;
    if (held_bytes_ > config_.max_held) return true;
    // Without anybody to ask, packets that overtook one another have that time to come in order.
    const unsigned most = config_.request ? config_.asked_at_most : 0;
    return asked_ >= most && now - asked_at_ >= config_.ask_again;
}

std::optional<Header> Receiver::request(Time now) {
    if (!config_.request || !in_gap() || asked_ >= config_.asked_at_most) return std::nullopt;
    if (asked_ != 0 && now - asked_at_ < config_.ask_again) return std::nullopt;
    ++asked_;
    ++counters_.requests;
    asked_at_ = now;
    const std::uint64_t to = held_.empty() ? highest_ : held_.begin()->first;
    return Header{*session_, next_,
                  static_cast<std::uint16_t>(std::min<std::uint64_t>(to - next_, kEndOfSession - 1))};
}

}  // namespace millrace::mold
