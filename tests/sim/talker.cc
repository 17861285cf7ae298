#include "tests/sim/talker.h"

#include <algorithm>

#include "tests/sim/failure.h"

namespace millrace::sim {

using net::CloseReason;
using net::EventKind;

void Talker::begin(Host& host, net::ConnId id, Phase phase) {
    require(phase_ == Phase::kUnborn, "a connection was accepted twice");
    host_ = &host;
    id_ = id;
    phase_ = phase;
    host.talkers[net::index(id)] = this;
}

void Talker::end(Outcome outcome) {
    host_->talkers[net::index(id_)] = nullptr;
    phase_ = Phase::kOver;
    outcome_ = outcome;
    resume_at_.reset();
}

void Talker::handle(net::Stack::Event& event, Duration now) {
    switch (event.kind) {
        case EventKind::kAccepted:
            throw Failure{"a connection was accepted on a slot in use"};
        case EventKind::kConnected:
            require(phase_ == Phase::kOpening, "kConnected twice");
            phase_ = Phase::kOpen;
            break;
        case EventKind::kReceived:
            require(phase_ == Phase::kOpen, "bytes before the connection is established");
            require(!peer_closed_, "bytes after the peer's end");
            require(!paused_ || paused_at_ == now, "bytes while paused");  // a batch is finished
            received(std::move(event.bytes), now);
            break;
        case EventKind::kWritable:
            require(!writable_, "kWritable for a writer that was not refused");
            writable_ = true;
            next_write_ = now;
            break;
        case EventKind::kPeerClosed:
            require(phase_ == Phase::kOpen && !peer_closed_, "kPeerClosed twice");
            require(other->closed() && received_ == other->sent(), "the peer's end before its last byte");
            peer_closed_ = true;
            break;
        case EventKind::kClosed:
            reason_ = event.reason;
            require(reason_ != CloseReason::kNone, "an end without a reason");
            if (reason_ == CloseReason::kFinished) {
                require(closed_ && peer_closed_, "finished before both ends have closed");
                require(other->received() == sent_, "finished before the peer has all bytes");
            }
            end(reason_ == CloseReason::kFinished ? Outcome::kFinished : Outcome::kFailed);
            break;
        case EventKind::kTimer:
            require(timer_.has_value() && *timer_ <= host_->local(now),
                    "a timer that nobody set, or too early");
            timer_.reset();
            if (paused_) resume();
            break;
    }
}

void Talker::received(tcp::MbufBytes bytes, Duration now) {
    const auto view = bytes.bytes();
    require(!view.empty(), "a receive event without bytes");
    require(received_ + view.size() <= other->sent(), "more bytes than were sent");
    require(in_.matches(received_, view), "other bytes than were sent");
    const std::uint64_t position = received_;
    received_ += view.size();
    if (kept_.size() < 8 && now < calm_ && random_.below(100) < plan_.keep_percent)
        kept_.push_back({std::move(bytes), position, now + random_.log_between(Duration(1us), 5s)});
    if (received_ >= pause_at_ && now < calm_) pause(now);
}

void Talker::release_kept(Duration now) {
    std::erase_if(kept_, [&](const Kept& kept) {
        if (kept.until > now && now < calm_) return false;
        require(in_.matches(kept.position, kept.bytes.bytes()), "kept bytes were changed");
        return true;
    });
}

std::string Talker::describe() const {
    if (phase_ == Phase::kUnborn) return "not yet accepted";
    char text[200];
    std::snprintf(text, sizeof text, "%llu of %llu sent, %llu received%s%s%s%s",
                  static_cast<unsigned long long>(sent_), static_cast<unsigned long long>(plan_.bytes),
                  static_cast<unsigned long long>(received_), writable_ ? "" : ", not writable",
                  paused_ ? ", paused" : "", closed_ ? ", closed" : "", peer_closed_ ? ", peer closed" : "");
    return text + (alive() ? ", " + host_->inspector().describe(id_) : std::string());
}

// --- reading slowly ---

void Talker::draw_pause() {
    pause_at_ = ~std::uint64_t{0};
    if (pauses_++ < plan_.pauses) pause_at_ = received_ + random_.below(20'000);
}

// Half of the pauses end by the carrier's timer.
void Talker::pause(Duration now) {
    host_->tcp().pause(id_);
    paused_ = true;
    paused_at_ = now;
    const Duration length = random_.log_between(Duration(100us), plan_.longest_pause);
    if (random_.chance(0.5)) {
        resume_at_ = now + length;
    } else {
        timer_ = host_->local(now + length);
        host_->tcp().set_timer(id_, *timer_);
    }
}

void Talker::resume() {
    host_->tcp().resume(id_);
    paused_ = false;
    resume_at_.reset();
    if (timer_) host_->tcp().cancel_timer(id_);
    timer_.reset();
    draw_pause();
}

// --- writing ---

void Talker::write(Duration now) {
    for (int n = 0; n < 4 && writable_ && sent_ < plan_.bytes && next_write_ <= now; ++n) {
        const std::uint64_t some =
            plan_.broadcast != 0 ? plan_.broadcast : 1 + random_.below(plan_.most_at_once);
        const auto size = static_cast<std::size_t>(std::min(some, plan_.bytes - sent_));
        if (!append(size)) {
            writable_ = false;
            return;
        }
        sent_ += size;
        if (plan_.think != Duration{} && now < calm_)
            next_write_ = now + random_.log_between(Duration(1us), plan_.think);
        else if (random_.chance(0.3))
            next_write_ = now + random_.log_between(Duration(1us), 500us);
    }
}

bool Talker::append(std::size_t size) {
    if (plan_.broadcast != 0) return append_reference(host_->broadcast(out_, sent_, size), size);
    if (random_.below(100) < plan_.reference_percent) {
        static std::vector<std::byte> built;
        built.resize(size);
        out_.write(sent_, built);
        return append_reference(host_->tcp().make_shared(built), size);
    }
    return append_in_place(size);
}

bool Talker::append_reference(const tcp::Shared& shared, std::size_t size) {
    if (shared) return host_->tcp().append(id_, shared);
    next_write_ = next_write_ + 1ms;  // no event follows this refusal
    return append_in_place(size);
}

bool Talker::append_in_place(std::size_t size) {
    tcp::Tcp& tcp = host_->tcp();
    if (!tcp.prepare(id_, size)) return false;
    for (std::size_t at = 0; at < size;) {
        const auto room = tcp.room(id_);
        const std::size_t part = std::min(room.size(), size - at);
        require(part > 0, "prepared bytes have no room");
        out_.write(sent_ + at, room.first(part));
        tcp.commit(id_, part);
        at += part;
    }
    return true;
}

// --- ending ---

bool Talker::may_close() const {
    if (phase_ != Phase::kOpen || closed_ || sent_ < plan_.bytes) return false;
    switch (plan_.ending) {
        case Ending::kClose:
            return true;
        case Ending::kCloseAfterPeer:
            return peer_closed_;
        case Ending::kCloseAfterAll:
            return received_ == other->plan().bytes || peer_closed_;
        case Ending::kAbort:
            return false;
    }
    return false;
}

bool Talker::should_abort() const {
    return plan_.ending == Ending::kAbort && sent_ + received_ >= plan_.abort_after;
}

void Talker::act(Duration now) {
    release_kept(now);
    if (!alive()) return;
    if (paused_ && (now >= calm_ || (resume_at_ && *resume_at_ <= now))) resume();
    if (phase_ == Phase::kOpen || plan_.early) write(now);
    if (should_abort()) {
        host_->tcp().abort(id_);
        return end(Outcome::kAborted);
    }
    if (may_close()) {
        closed_ = true;
        host_->tcp().close(id_);
    }
}

std::optional<Duration> Talker::next() const {
    std::optional<Duration> next;
    const auto at = [&](Duration when) { next = next ? std::min(*next, when) : when; };
    for (const Kept& kept : kept_)
        at(std::min(kept.until, calm_));
    if (!alive()) return next;
    if (paused_) at(resume_at_ ? std::min(*resume_at_, calm_) : calm_);
    if (writable_ && sent_ < plan_.bytes && (phase_ == Phase::kOpen || plan_.early)) at(next_write_);
    return next;
}

}  // namespace millrace::sim
