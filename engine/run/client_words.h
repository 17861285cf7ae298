#pragma once
// What a client asks for, as it is written on a command line: URL, headers, TLS, proxy. For option parsers
// only, as ground_words.h.

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "engine/client/dialer.h"
#include "engine/client/url.h"
#include "engine/tls/client_context.h"
#include "netstack/base/error.h"

namespace millrace {

// Kept as text until all options are known; values_of() then turns them into values.
class ClientWords {
  public:
    // `app` parses into this, which stays where it is until then.
    void add_to(CLI::App& app);
    Expected<void> values_of(client::Url& url, client::DialOptions& dial) const;
    const tls::ClientConfig& tls() const { return tls_; }

  private:
    std::string url_;
    std::vector<std::string> headers_;
    std::vector<std::string> subprotocols_;
    std::string origin_;
    std::string deflate_ = "off";
    std::string proxy_;
    bool proxy_from_environment_ = false;
    tls::ClientConfig tls_;
};

}  // namespace millrace
