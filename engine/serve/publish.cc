#include "engine/serve/publish.h"

#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "engine/fanout/decode.h"
#include "engine/mold/feed.h"
#include "engine/options/units.h"
#include "engine/publish/recording.h"
#include "engine/publish/window.h"
#include "engine/run/connect.h"
#include "engine/serve/feed_client.h"
#include "engine/serve/input.h"
#include "engine/serve/publish_options.h"

namespace millrace {
namespace {

using publish::Item;
using publish::Next;

// Lines of standard input: topic, space, message.
class Lines {
  public:
    static constexpr std::size_t kMost = 1u << 20;  // bytes of a line

    Next next(Item& out) {
        const bool ended = input_->ended();
        std::string line;
        while (input_->pop(line)) {
            const std::size_t space = line.find(' ');
            out.topic = line.substr(0, space);
            if (space != line.npos && fanout::is_topic(out.topic)) {
                out.payload = line.substr(space + 1);
                out.content = publish::content_of(out.payload);
                return Next::kItem;
            }
            ++passed_over_;
        }
        return ended ? Next::kEnd : Next::kNone;
    }
    std::uint64_t passed_over() const { return passed_over_; }

  private:
    std::shared_ptr<Input> input_ = std::make_shared<Input>(true, kMost);
    std::uint64_t passed_over_ = 0;
};

class Source {
  public:
    static Expected<Source> open(const PublishOptions& options) {
        switch (options.from) {
            case PublishOptions::From::kGenerator:
                return Source(publish::Generator(options.generator));
            case PublishOptions::From::kMold:
                return opened(mold::Feed::open(options.mold));
            case PublishOptions::From::kRecording:
                return opened(publish::Recording::open(options.recording, options.whole));
            case PublishOptions::From::kInput:
                break;
        }
        return Source(Lines());
    }
    Next next(Item& out, Time now) {
        return std::visit(
            [&](auto& source) {
                if constexpr (requires { source.next(out, now); })
                    return source.next(out, now);
                else
                    return source.next(out);
            },
            source_);
    }
    std::uint64_t passed_over() const {
        return std::visit(
            [](const auto& source) -> std::uint64_t {
                if constexpr (requires { source.passed_over(); }) return source.passed_over();
                return 0;
            },
            source_);
    }
    // Not all of it could be had; empty: all.
    std::string shortcoming() const {
        if (const auto* recording = std::get_if<publish::Recording>(&source_);
            recording && recording->broken())
            return "the recording could not be read to its end: it is cut off or damaged";
        if (const auto* feed = std::get_if<mold::Feed>(&source_); feed && feed->counters().lost != 0)
            return fmt::format(
                "{} messages of the feed were lost on their way here, after {} requests for them",
                feed->counters().lost, feed->counters().requests);
        return {};
    }

  private:
    template <class Any>
    static Expected<Source> opened(Expected<Any> any) {
        if (!any) return tl::unexpected(any.error());
        return Source(std::move(*any));
    }
    template <class Any>
    explicit Source(Any any) : source_(std::move(any)) {}

    std::variant<publish::Generator, publish::Recording, Lines, mold::Feed> source_;
};

// What publish_command() reads when the shard has ended.
struct Outcome {
    explicit Outcome(Source from) : source(std::move(from)) {}

    Source source;
    publish::Window window;
    std::uint64_t published = 0, bytes = 0;
    bool ended = false;      // the source has nothing more
    bool understood = true;  // the server's answers
    Duration took{};
};

// Reading the source in the shard's loop is right here: there is nobody else to be served.
class Publisher {
  public:
    Publisher(const PublishOptions& options, Outcome& outcome) : pace_(options.pace), outcome_(&outcome) {}

    void on_message(auto& ws, const Message& message) {
        fanout::ServerMessage said;
        if (message.is_text() || !fanout::decode(message.contiguous(scratch_), said) ||
            said.kind != fanout::ServerMessage::Kind::kReply ||
            !outcome_->window.answered(said.reply.id, said.reply.error != fanout::ErrorCode::kNone))
            return refuse(ws);
        if (said.reply.error != fanout::ErrorCode::kNone) say_refused(said);
    }

    void on_close(auto&, ws::CloseCode code, std::string_view reason) {
        if (!closing_) say_closed(code, reason);
    }

    // Sends what is due and has room; what finds none waits for the next turn.
    void on_turn(auto& ws, Time now) {
        constexpr int kAtOnce = 512;  // then it looks for answers
        if (began_ == Time{}) began_ = now;
        outcome_->took = now - began_;
        for (int i = 0; i < kAtOnce && !closing_; ++i) {
            if (!current_ && !fetch(current_)) return finish(ws);
            if (!is_due(current_) || !outcome_->window.has_room()) return;
            if (!ahead_) fetch(ahead_);
            if (!send(ws)) return;
            std::swap(current_, ahead_);
            ahead_.reset();
        }
    }

  private:
    struct Waiting {
        Item item;
        Duration due;
    };

    bool fetch(std::optional<Waiting>& out) {
        if (outcome_->ended) return false;
        Waiting waiting;
        const Next next = outcome_->source.next(waiting.item, began_ + outcome_->took);
        outcome_->ended = next == Next::kEnd;
        if (next != Next::kItem) return false;
        waiting.due = pace_.due(fetched_++, waiting.item.due);
        out = std::move(waiting);
        return true;
    }
    bool is_due(const std::optional<Waiting>& waiting) const {
        return waiting && waiting->due <= outcome_->took;
    }

    bool send(auto& ws) {
        publish::Window& window = outcome_->window;
        const Item& item = current_->item;
        request_.kind = fanout::Request::Kind::kPublish;
        request_.acknowledge = window.asks(!is_due(ahead_));
        request_.publication.topic = item.topic;
        request_.publication.key = item.key;
        request_.publication.content = item.content;
        request_.publication.payload = std::as_bytes(std::span(item.payload));
        message_.clear();
        fanout::encode_request(window.next(), request_, message_);
        if (ws.send_binary(message_) != SendStatus::kSent) return false;
        window.sent();
        ++outcome_->published;
        outcome_->bytes += item.payload.size();
        return true;
    }

    void refuse(auto& ws) {
        if (std::exchange(closing_, true)) return;
        outcome_->understood = false;
        advise("what came is no answer in millrace.v1: give the URL of a server's /publish");
        ws.close(ws::CloseCode::kProtocolError, "an answer in millrace.v1 was expected");
    }

    void finish(auto& ws) {
        if (!outcome_->ended || outcome_->window.unanswered() != 0) return;
        closing_ = true;
        ws.close();
    }

    void say_refused(const fanout::ServerMessage& said) {
        constexpr std::uint32_t kSaid = 3;  // the rest is in the sum at the end
        if (outcome_->window.refused() > kSaid) return;
        advise(fmt::format("message {} was refused: {}", said.reply.id, refusal_of(said)));
    }

    publish::Pace pace_;
    Outcome* outcome_;
    std::optional<Waiting> current_, ahead_;
    std::uint64_t fetched_ = 0;
    fanout::Request request_;
    std::vector<std::byte> message_, scratch_;
    Time began_{};
    bool closing_ = false;
};

// One line on standard error; whether all went well.
bool sum_up(const Outcome& outcome, const PublishOptions& options) {
    using enum PublishOptions::From;
    const bool endless =
        options.from == kMold || (options.from == kGenerator && options.generator.count == 0);
    // Recordings have other things in them than messages; what somebody writes should be one.
    const bool all_taken = options.from == kRecording || outcome.source.passed_over() == 0;
    const publish::Window& window = outcome.window;
    const double seconds = std::chrono::duration<double>(outcome.took).count();
    fmt::print(
        stderr, "millrace: published {} messages, {}, in {}: {} a second; {} refused, {} not acknowledged",
        outcome.published, format_bytes(static_cast<double>(outcome.bytes)), format_duration(outcome.took),
        format_count(seconds > 0 ? static_cast<double>(outcome.published) / seconds : 0), window.refused(),
        window.unanswered());
    if (outcome.source.passed_over() != 0)
        fmt::print(stderr, "; {} passed over, which are no messages of a topic",
                   outcome.source.passed_over());
    fmt::print(stderr, "\n");
    const std::string shortcoming = outcome.source.shortcoming();
    if (!shortcoming.empty()) advise(shortcoming);
    return outcome.understood && window.refused() == 0 && window.unanswered() == 0 &&
           (outcome.ended || endless) && all_taken && shortcoming.empty();
}

}  // namespace

int publish_command(int argc, const char* const* argv) {
    auto options = parse_publish_options(argc, argv);
    if (!options) return say_error(options.error());
    block_end_signals();  // for the input's thread as well
    auto source = Source::open(*options);
    if (!source) return say_error(source.error());
    Outcome outcome(std::move(*source));
    const int status = connect(options->connect, Publisher(*options, outcome));
    if (status == 2) return status;
    return sum_up(outcome, *options) ? status : 1;
}

}  // namespace millrace
