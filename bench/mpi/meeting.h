#pragma once
// How the ranks of one run meet: the first listens, tells the others by MPI where and with which token, and
// each comes by TCP. From then on MPI is not needed, which would end all ranks with the first that is lost.

#include <cstdint>
#include <string>
#include <vector>

#include "bench/control/link.h"
#include "bench/load/remote.h"
#include "netstack/base/error.h"

namespace millrace::bench {

class Meeting {
  public:
    // Listens on all addresses of this machine, at a port that the kernel chooses.
    static Expected<Meeting> open();
    Meeting(Meeting&& other) noexcept;
    Meeting& operator=(Meeting&&) = delete;
    ~Meeting();

    // A line that tells the others where, and lets them in.
    const std::string& invitation() const { return invitation_; }
    // Waits for ranks 1 to `ranks` - 1, in whatever order they come.
    Expected<std::vector<Companion>> await(unsigned ranks);

  private:
    Meeting(int fd, std::string token, std::string invitation)
        : fd_(fd), token_(std::move(token)), invitation_(std::move(invitation)) {}
    // Whose link it is; 0 when it was not invited.
    unsigned admit(Link& link, unsigned ranks) const;

    int fd_;
    std::string token_;
    std::string invitation_;
};

// Of the others: tries the addresses one after the other until one lets it in.
Expected<Link> come_to(const std::string& invitation, unsigned rank);

}  // namespace millrace::bench
