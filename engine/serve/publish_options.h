#pragma once
// The options of `millrace publish`.

#include <string>

#include "engine/mold/feed.h"
#include "engine/publish/generator.h"
#include "engine/publish/pace.h"
#include "engine/run/connect_options.h"

namespace millrace {

struct PublishOptions {
    enum class From : std::uint8_t { kRecording, kGenerator, kInput, kMold };

    ConnectOptions connect;
    From from = From::kInput;
    std::string recording;  // the file
    bool whole = false;     // its messages as they came, not their `data`
    publish::GeneratorConfig generator;
    mold::FeedAddress mold;
    publish::Pace pace;
};

Expected<PublishOptions> parse_publish_options(int argc, const char* const* argv);

}  // namespace millrace
