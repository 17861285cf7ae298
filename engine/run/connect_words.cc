#include "engine/run/connect_words.h"

#include "engine/options/units.h"

namespace millrace {

void ConnectWords::add_to(CLI::App& app) {
    client_.add_to(app);
    app.add_option("--max-redirects", redirects_, "followed in a row; 0: none")->capture_default_str();
    app.add_flag("--redirect-to-plain", redirect_to_plain_, "follow redirects from wss to ws");
}

Expected<void> ConnectWords::values_of(ConnectOptions& options) const {
    options.max_connections = 64;  // each attempt has a slot of its own until the next poll
    options.dial.redirects.to_plain = redirect_to_plain_;
    Expected<void> result;
    const bool good =
        (result = ground_.values_of(options)) && (result = client_.values_of(options.url, options.dial)) &&
        (result = parse_one("--max-redirects", redirects_, parse_count, options.dial.redirects.most));
    if (!good) return result;
    if (options.dial.redirects.most > 20) return fail("--max-redirects can be 20 at most");
    if (options.cores.size() != 1) return fail("a client has one core: write --cores as 0");
    options.tls = client_.tls();
    return {};
}

}  // namespace millrace
