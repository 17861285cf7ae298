#include "engine/serve/connect.h"

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "engine/run/connect.h"
#include "engine/run/quoted.h"
#include "engine/serve/input.h"
#include "engine/utf8/utf8.h"

namespace millrace {
namespace {

// It writes to standard output from the shard's loop: who does not read what it prints slows the server down,
// by its window, which is what a pipe is for.
class Terminal {
  public:
    Terminal(const ConnectOptions& options, std::shared_ptr<Input> input)
        : options_(&options), input_(std::move(input)) {}

    void on_open(auto& ws) { note(fmt::format("open, to {}", net::to_string(ws.peer()))); }

    void on_message(auto& ws, const Message& message) {
        for (const auto part : message.parts())
            std::fwrite(part.data(), 1, part.size(), stdout);
        if (!options_->binary) std::putc('\n', stdout);
        std::fflush(stdout);
        heard_ = now_;
        if (++received_ == options_->count) ws.close();
    }

    void on_pong(auto&, std::span<const std::byte> payload) {
        note(fmt::format("pong of {} bytes", payload.size()));
    }

    void on_close(auto&, ws::CloseCode code, std::string_view reason) {
        note(fmt::format("closed with {} {}", static_cast<int>(code), quoted(reason)));
    }

    // Sends what has been typed; a message that finds no room waits for the next turn.
    void on_turn(auto& ws, Time now) {
        now_ = now;
        if (heard_ == Time{}) heard_ = now;
        const bool ended = input_->ended();
        while (waiting_ || input_->pop(message_)) {
            waiting_ = true;
            heard_ = now;
            const SendStatus status = send(ws);
            if (status != SendStatus::kSent) return;
            waiting_ = false;
        }
        if (ended && options_->count == 0 && now - heard_ >= options_->wait) ws.close();
    }

  private:
    SendStatus send(auto& ws) {
        const auto bytes = std::as_bytes(std::span(message_));
        if (options_->binary) return ws.send_binary(bytes);
        if (ws::is_utf8(bytes)) return ws.send_text(message_);
        std::fputs("millrace: a line that is not UTF-8 was left out: send it with --binary\n", stderr);
        return SendStatus::kSent;
    }

    void note(const std::string& what) const {
        if (options_->verbose) fmt::print(stderr, "millrace: {}\n", what);
    }

    const ConnectOptions* options_;
    std::shared_ptr<Input> input_;
    std::string message_;
    bool waiting_ = false;  // message_ is to be sent
    std::uint64_t received_ = 0;
    Time now_{};
    Time heard_{};  // when a message last went either way
};

}  // namespace

int connect_command(int argc, const char* const* argv) {
    auto options = parse_connect_options(argc, argv);
    if (!options) return say_error(options.error());
    options->endpoint.read_while_full = true;
    block_end_signals();  // for the input's thread as well
    auto input = std::make_shared<Input>(!options->binary, options->endpoint.max_message);
    return connect(*options, Terminal(*options, std::move(input)));
}

}  // namespace millrace
