#pragma once
// The options of ConnectOptions that every client has, as they are written on a command line. For option
// parsers only, as ground_words.h.

#include "engine/run/client_words.h"
#include "engine/run/connect_options.h"
#include "engine/run/ground_words.h"

namespace millrace {

class ConnectWords {
  public:
    // `app` parses into this, which stays where it is until then; add_ground_to() comes last, as it is least
    // often looked for.
    void add_to(CLI::App& app);
    void add_ground_to(CLI::App& app) { ground_.add_to(app); }
    Expected<void> values_of(ConnectOptions& options) const;

  private:
    ClientWords client_;
    GroundWords ground_;
    bool redirect_to_plain_ = false;
    std::string redirects_ = "5";
};

}  // namespace millrace
