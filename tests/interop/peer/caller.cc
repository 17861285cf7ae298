// Millrace as a client of echo servers of other makes, written over its public interface alone:
//
//     caller SCENARIO [options of millrace connect] URL
//
//     exchange   texts and binaries of 0 B to 16 MiB, many at once, pings between them, every echo compared;
//     then
//                it closes with 4321 and awaits the same code
//     brief      the same with ten short ones
//     close      it asks the server to close with 4002, and awaits that
//
// The servers answer the text "compression" with what was agreed on (cases/client.py).
// Exit status: 0 all as it should be, 1 the connection or an echo was not, 2 wrong options or set-up.

#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "engine/millrace.h"
#include "tests/interop/peer/contents.h"

namespace {

using namespace millrace;

constexpr std::string_view kCompression = "compression";
constexpr auto kOurCode = static_cast<ws::CloseCode>(4321), kTheirCode = static_cast<ws::CloseCode>(4002);

// The sizes of the messages, in their order; every second one is text.
std::vector<std::size_t> sizes_of(std::string_view scenario) {
    if (scenario == "close") return {};
    if (scenario == "brief") return std::vector<std::size_t>(10, 32);
    std::vector<std::size_t> sizes;
    const auto add = [&](std::size_t size, int times) { sizes.insert(sizes.end(), times, size); };
    for (const std::size_t size : {0, 32, 125, 126, 127, 1000})
        add(size, 300);
    for (const std::size_t size : {5000, 65535, 65536, 1 << 20})
        add(size, 6);
    add(16u << 20, 2);
    add(32, 300);
    return sizes;
}

// No two neighbours are alike. The units of contents.h begin with two octets of ASCII, which are the number
// here.
std::string content(std::size_t number, std::size_t size) {
    std::string bytes = number % 2 ? binary(size) : text(size);
    for (std::size_t i = 0; i < 2 && i < size; ++i)
        bytes[i] = static_cast<char>('0' + (number >> (6 * i) & 63));
    return bytes;
}

struct Outcome {
    std::string failure = "the connection ended early";
};

class Caller {
  public:
    Caller(std::string_view scenario, bool deflate, Outcome& outcome)
        : sizes_(sizes_of(scenario)),
          asks_(scenario == "close"),
          agreement_(deflate ? "deflate" : "plain"),
          outcome_(&outcome) {}

    void on_open(auto& ws) { ws.send_text(kCompression); }
    void on_drain(auto& ws) { send(ws); }

    void on_message(auto& ws, const Message& message) {
        const std::string_view got = message.text(scratch_);
        if (!agreed_) {
            agreed_ = got == agreement_;
            if (!agreed_) return fail(ws, fmt::format("compression: {}, not {}", got, agreement_));
            if (asks_) ws.send_text("close 4002 as asked");
            return send(ws);
        }
        if (received_ == sent_ || message.is_text() != (received_ % 2 == 0) ||
            got != content(received_, sizes_[received_]))
            return fail(ws, fmt::format("echo {} is not what was sent", received_));
        in_flight_ -= sizes_[received_++];
        send(ws);
    }

    void on_pong(auto& ws, std::span<const std::byte> payload) {
        ++pongs_;
        if (payload.size() != 4) fail(ws, "a pong is not what was sent");
        close_when_done(ws);
    }

    void on_close(auto&, ws::CloseCode code, std::string_view reason) {
        const bool all = received_ == sizes_.size() && pongs_ == pings_ && agreed_;
        if (all && code == (asks_ ? kTheirCode : kOurCode) && (!asks_ || reason == "as asked"))
            outcome_->failure.clear();
        else
            outcome_->failure =
                fmt::format("closed with {} {} after {} of {} echoes, {} of {} pongs", static_cast<int>(code),
                            reason, received_, sizes_.size(), pongs_, pings_);
    }

  private:
    // Messages, and bytes beyond the first: a server that does not read while it writes must not wait for us
    // while we, with more than EndpointConfig::send_limit unsent, wait for it.
    static constexpr std::size_t kInFlight = 16, kBytesInFlight = 256u << 10;
    static constexpr std::size_t kBetweenPings = 100;  // messages

    void send(auto& ws) {
        while (may_send()) {
            if (sent_ == pings_ * kBetweenPings) {
                if (ws.ping(std::as_bytes(std::span("ping", 4))) != SendStatus::kSent) return;
                ++pings_;
            }
            const std::string bytes = content(sent_, sizes_[sent_]);
            const SendStatus status =
                sent_ % 2 ? ws.send_binary(std::as_bytes(std::span(bytes))) : ws.send_text(bytes);
            if (status != SendStatus::kSent) return;  // on_drain goes on
            in_flight_ += sizes_[sent_++];
        }
        close_when_done(ws);
    }

    bool may_send() const {
        return sent_ < sizes_.size() && sent_ - received_ < kInFlight &&
               (sent_ == received_ || in_flight_ + sizes_[sent_] <= kBytesInFlight);
    }

    void close_when_done(auto& ws) {
        if (!asks_ && received_ == sizes_.size() && pongs_ == pings_) ws.close(kOurCode, "until then");
    }

    void fail(auto& ws, std::string why) {
        outcome_->failure = std::move(why);
        ws.abort();
    }

    std::vector<std::size_t> sizes_;
    bool asks_;
    std::string_view agreement_;
    Outcome* outcome_;
    std::vector<std::byte> scratch_;
    bool agreed_ = false;
    std::size_t sent_ = 0;
    std::size_t received_ = 0;
    std::size_t in_flight_ = 0;
    std::size_t pings_ = 0;
    std::size_t pongs_ = 0;
};

int complain(std::string_view what, int status) {
    std::fprintf(stderr, "caller: %.*s\n", static_cast<int>(what.size()), what.data());
    return status;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3) return complain("usage: caller exchange|brief|close [options] URL", 2);
    const std::string_view scenario = argv[1];
    const auto options = parse_connect_options(argc - 1, argv + 1);
    if (!options) return complain(options.error().message, 2);
    Outcome outcome;
    if (connect(*options, Caller(scenario, options->dial.deflate.enabled, outcome)) == 2) return 2;
    return outcome.failure.empty() ? 0 : complain(outcome.failure, 1);
}
