#include "bench/load/processes.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "bench/load/follower.h"
#include "bench/load/part.h"

namespace millrace::bench {

namespace {

// A key that interrupts the terminal's processes is for the leader, who says when the others end.
[[noreturn]] void follow(const LoadOptions& options, unsigned index, Link link) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::signal(SIGINT, SIG_IGN);
    ::_exit(follow_load(part_of(options, {index, options.processes}), std::move(link)));
}

}  // namespace

Expected<std::vector<Companion>> start_processes(const LoadOptions& options) {
    std::vector<Companion> companions;
    for (unsigned index = 1; index < options.processes; ++index) {
        int ends[2];
        const bool joined = ::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0;
        const pid_t pid = joined ? ::fork() : -1;
        if (pid < 0) return fail(fmt::format("cannot start another process: {}", std::strerror(errno)));
        if (pid == 0) {
            companions.clear();  // the others' links end with the leader alone
            ::close(ends[0]);
            follow(options, index, Link(ends[1]));
        }
        ::close(ends[1]);
        companions.push_back({.name = fmt::format("process {} of {}", index + 1, options.processes),
                              .link = Link(ends[0]),
                              .pid = pid});
    }
    return companions;
}

}  // namespace millrace::bench
