#pragma once
// One io_uring, one thread: submission and completion queue of a shard.
//
// The ring is made by whatever thread sets the shard up and belongs to the thread that first enters it
// (IORING_SETUP_R_DISABLED until then), because the kernel binds a SINGLE_ISSUER ring to one thread.

#include <liburing.h>

#include "netstack/base/error.h"
#include "netstack/base/time.h"

namespace millrace::net::uring {

// Why io_uring_setup() failed, with the remedy; `error` is a positive errno.
Error explain_setup_failure(int error);

class Ring {
  public:
    Ring() = default;
    Ring(const Ring&) = delete;
    Ring& operator=(const Ring&) = delete;
    ~Ring();

    // `entries`: submissions between two enters; completions get eight times as many.
    Expected<void> open(unsigned entries);

    bool has_room(unsigned n) const { return io_uring_sq_space_left(&ring_) >= n; }
    // The next submission; there must be room.
    io_uring_sqe& next();
    unsigned queued() const { return io_uring_sq_ready(&ring_); }

    // Submits what is queued and lets the kernel post what has completed: one system call. True when
    // everything was taken.
    bool submit();
    // Lets the kernel post what has completed.
    void get_events();
    // As submit(), then sleeps until something completes, `bound` has passed or a signal came.
    void wait(Duration bound);

    unsigned completions() const { return io_uring_cq_ready(&ring_); }
    bool overflowed() const { return io_uring_cq_has_overflow(&ring_); }

    io_uring& raw() { return ring_; }

  private:
    void enable();

    io_uring ring_{};
    bool open_ = false;
    bool enabled_ = false;
};

}  // namespace millrace::net::uring
