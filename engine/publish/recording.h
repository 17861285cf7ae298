#pragma once
// A recorded stream of an exchange: one message a line, the receiver's time in nanoseconds since 1970, a
// space, and the message as it came, an object with `stream` and `data`; gzip or plain. The topic is what
// `stream` says. Lines without a stream (snapshots that were fetched beside it) or without a time are passed
// over, and counted.

#include <zlib.h>

#include <cstdint>
#include <memory>
#include <string>

#include "engine/publish/item.h"
#include "netstack/base/error.h"

namespace millrace::fanout {
class JsonDocument;
}

namespace millrace::publish {

class Recording {
  public:
    // `whole`: payloads are messages as they came; else their `data`, to the byte.
    static Expected<Recording> open(const std::string& path, bool whole);
    Recording(Recording&&) noexcept;
    ~Recording();

    Next next(Item& out);
    std::uint64_t passed_over() const { return passed_over_; }
    // The file could not be read to its end.
    bool broken() const { return broken_; }

  private:
    Recording(gzFile file, bool whole);

    bool read_line();
    bool take_line(Item& out);

    struct Close {
        void operator()(gzFile file) const { ::gzclose(file); }
    };
    std::unique_ptr<gzFile_s, Close> file_;
    bool whole_;
    std::string line_;
    std::unique_ptr<fanout::JsonDocument> document_;
    std::uint64_t first_ns_ = 0;
    std::uint64_t passed_over_ = 0;
    bool broken_ = false;
};

}  // namespace millrace::publish
