#pragma once
// Runs a program with a breakpoint on every forbidden instruction (machine_code.h) of all code that it has
// loaded, its own, DPDK's and libc's, and says which of them the threads of its shards came upon. The program
// runs at its full speed meanwhile: a breakpoint that is not met costs nothing.

#include <cstddef>
#include <map>
#include <string>
#include <vector>

namespace millrace::test {

struct Watch {
    std::vector<std::string> command;  // the program's path and its arguments
    // Names of functions, as nm -C writes them, from the front. A thread is watched from its first call of
    // one of the first on: one turn of a shard's loop. All are watched until the program calls the second.
    std::vector<std::string> loops;
    std::string end;
    // Called by the loops, and not looked at: they do what another thread has ordered, and no turn's work.
    std::vector<std::string> excused;
    unsigned threads = 0;  // that call `loops`: the breakpoints are set when the first of them does
};

struct Sightings {
    std::string trouble;           // why it could not be done; else empty
    int status = -1;               // the program's exit status
    bool ended_in_order = false;   // it has called Watch::end
    unsigned threads = 0;          // that were watched
    std::size_t instructions = 0;  // that had a breakpoint
    // How often the threads that were watched met one; by "function: instruction, called by ...".
    std::map<std::string, unsigned> met;
};

inline constexpr const char* kCannotTrace = "this process may not debug others";
Sightings watch(const Watch& what);

}  // namespace millrace::test
