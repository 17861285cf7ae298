#pragma once
// A process that takes part in a load, as the one that leads it sees it: itself, or one at the end of a link.

#include <cstdint>
#include <string>

#include "bench/load/books.h"
#include "bench/load/desk.h"

namespace millrace::bench {

struct LoadCommand {
    LoadOrder order = LoadOrder::kServe;
    double rate = 0;   // open loop: messages a second of all processes
    Duration start{};  // when it begins, by the leader's steady clock; zero: at once
};

// As they are at the moment, for the live line.
struct LoadCounts {
    std::uint64_t opened = 0, failed = 0, messages = 0;
};

class LoadMember {
  public:
    virtual ~LoadMember() = default;
    // A new command may be given before the one before is done only to stop it.
    virtual void give(const LoadCommand& command) = 0;
    // Hears what there is to hear; true when the latest command is done, or will never be.
    virtual bool is_done() = 0;
    virtual LoadCounts counts() const = 0;
    // Of what is done. Not to be asked of one that is lost.
    virtual LoadTally tally() const = 0;
    // Empty, or what became of it.
    virtual std::string lost() const = 0;
};

// The time since some moment that is the same for all processes of a machine.
inline Duration steady_now() {
    return std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch());
}

}  // namespace millrace::bench
