#include "engine/serve/source.h"

#include <fmt/format.h>

#include <utility>

#include "engine/run/server.h"
#include "engine/run/signals.h"
#include "netstack/base/clock.h"

namespace millrace {
namespace {

// How often it is looked again for what has come, and for room: a fraction of what a kernel's wake-up costs
// at most, and of what the socket's buffer holds.
constexpr auto kNothingWait = std::chrono::microseconds(100);
constexpr auto kFullWait = std::chrono::milliseconds(1);

}  // namespace

Expected<std::unique_ptr<Source>> Source::start(const std::string& url,
                                                std::shared_ptr<fanout::FeedGround> ground) {
    if (url.empty()) return nullptr;
    const auto address = mold::parse_feed_address(url);
    if (!address) return fail("--source: " + address.error().message);
    auto feed = mold::Feed::open(*address);
    if (!feed) return fail("--source: " + feed.error().message);
    const SignalsBlocked blocked;
    return std::unique_ptr<Source>(new Source(std::move(*feed), std::move(ground)));
}

Source::Source(mold::Feed feed, std::shared_ptr<fanout::FeedGround> ground)
    : feed_(std::move(feed)), ground_(std::move(ground)), thread_([this] { run(); }) {}

Source::~Source() {
    over_.store(true);
    thread_.join();
}

void Source::run() {
    const TscClock clock;
    publish::Item item;
    while (!over_.load(std::memory_order_relaxed)) {
        switch (feed_.next(item, clock.now())) {
            case publish::Next::kItem:
                if (!hand_over(item)) return;
                break;
            case publish::Next::kNone:
                std::this_thread::sleep_for(kNothingWait);
                break;
            case publish::Next::kEnd:
                return say_end();
        }
    }
}

// False when nobody takes anything any more.
bool Source::hand_over(const publish::Item& item) {
    const fanout::Publication p{.topic = item.topic,
                                .content = item.content,
                                .key = item.key,
                                .payload = std::as_bytes(std::span(item.payload))};
    while (!ground_->source->push(p, 0)) {
        if (over_.load()) return false;
        std::this_thread::sleep_for(kFullWait);
    }
    ++handed_over_;
    return true;
}

void Source::say_end() const {
    advise(fmt::format("the source has ended: {} messages, {} passed over, {} lost on their way here",
                       handed_over_, feed_.passed_over(), feed_.counters().lost));
}

}  // namespace millrace
