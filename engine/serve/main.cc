// The `millrace` program (DESIGN, section 7).

#include <cstdio>
#include <string_view>

#include "engine/millrace.h"
#include "engine/serve/connect.h"
#include "engine/serve/doctor.h"
#include "engine/serve/feed.h"
#include "engine/serve/publish.h"
#include "engine/serve/source.h"
#include "engine/serve/status.h"
#include "engine/serve/subscribe.h"

namespace {

struct Echo {
    void on_message(auto& ws, const millrace::Message& message) {
        // Full only when memory for so large an answer is short: said plainly rather than left out.
        if (ws.send(message) == millrace::SendStatus::kFull)
            ws.close(millrace::ws::CloseCode::kTryAgainLater, "no memory left for the echo");
    }
};

constexpr const char* kUsage =
    "usage: millrace serve [options]    a WebSocket server (millrace serve --help lists the options)\n"
    "       millrace connect URL [options]    a WebSocket client (millrace connect --help lists the "
    "options)\n"
    "       millrace publish URL [options]    messages into topics: a recording, generated, or from standard "
    "input\n"
    "       millrace subscribe URL TOPIC... [options]    the messages of topics, to standard output\n"
    "       millrace doctor [options]    what on this machine stands in the way of speed, with its remedies\n"
    "       millrace --version\n";

int serve(int argc, char** argv) {
    auto options = millrace::parse_serve_options(argc, argv);
    if (!options) return millrace::say_error(options.error());
    millrace::fanout::Feed feed = millrace::make_feed(*options);
    const auto source = millrace::Source::start(options->source, feed.ground());
    if (!source) return millrace::say_error(source.error());
    const auto board =
        std::make_shared<millrace::status::Board>(static_cast<unsigned>(options->cores.size()));
    return millrace::serve(
        std::move(*options),
        millrace::app(
            millrace::route("/echo", Echo{}), millrace::route("/feed", std::move(feed)),
            millrace::route("/status", millrace::Status(board)),
            millrace::page("/", "text/html; charset=utf-8", millrace::kStatusPage),
            millrace::guarded(millrace::page("/metrics", std::string(millrace::status::kMetricsType),
                                             millrace::status::MetricsPage(board))),
            millrace::page("/healthz", "text/plain; charset=utf-8", "ok\n")));
}

}  // namespace

int main(int argc, char** argv) {
    const std::string_view command = argc > 1 ? argv[1] : "";
    if (command == "serve") return serve(argc - 1, argv + 1);
    if (command == "connect") return millrace::connect_command(argc - 1, argv + 1);
    if (command == "publish") return millrace::publish_command(argc - 1, argv + 1);
    if (command == "subscribe") return millrace::subscribe_command(argc - 1, argv + 1);
    if (command == "doctor") return millrace::doctor_command(argc - 1, argv + 1);
    if (command == "--version") return std::printf("millrace %s\n", MILLRACE_VERSION) < 0;
    if (command == "--help" || command == "-h") return std::fputs(kUsage, stdout) < 0;
    std::fprintf(stderr, "millrace: %s\n%s",
                 command.empty() ? "a command is needed" : "there is no such command", kUsage);
    return 2;
}
