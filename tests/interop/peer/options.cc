#include "tests/interop/peer/options.h"

#include <map>

namespace millrace::interop {

Expected<PeerOptions> parse_peer_options(CLI::App& app, int argc, char** argv) {
    static const std::map<std::string, End> kEnds{
        {"sent", End::kSent}, {"done", End::kDone}, {"after", End::kAfter}, {"reset", End::kReset}};
    PeerOptions options;
    std::string listen, connect;
    auto* group = app.add_option_group("address");
    group->add_option("--listen", listen, "ADDR:PORT");
    group->add_option("--connect", connect, "ADDR:PORT");
    group->require_option(1);
    app.add_option("--connections", options.connections)->capture_default_str();
    app.add_option("--parallel", options.parallel, "of them at a time")->capture_default_str();
    app.add_option("--send", options.script.send, "bytes")->transform(CLI::AsSizeValue(false));
    app.add_option("--receive", options.script.receive, "bytes")->transform(CLI::AsSizeValue(false));
    app.add_flag("--echo", options.script.echo, "send what has come");
    app.add_option("--end", options.script.end, "sent, done, after or reset")
        ->transform(CLI::CheckedTransformer(kEnds));
    app.add_option("--stall-at", options.stall_at, "bytes")->transform(CLI::AsSizeValue(false));
    app.add_option("--stall", options.stall_seconds, "seconds");
    app.add_option("--patience", options.patience_seconds, "seconds")->capture_default_str();
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return fail(error.what());
    }
    options.listens = !listen.empty();
    auto address = net::parse_socket_address(options.listens ? listen : connect);
    if (!address) return tl::unexpected(address.error());
    options.address = *address;
    return options;
}

}  // namespace millrace::interop
