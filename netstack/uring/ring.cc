#include "netstack/uring/ring.h"

#include <array>
#include <cassert>
#include <cerrno>
#include <cstring>

namespace millrace::net::uring {
namespace {

// Best first. DEFER_TASKRUN (Linux 6.1): completions are worked off when the shard asks for them, in its own
// thread, instead of interrupting it. COOP_TASKRUN: the same, short of batching.
constexpr std::array<unsigned, 2> kModes = {IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
                                            IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_COOP_TASKRUN};

constexpr unsigned kAlways = IORING_SETUP_SUBMIT_ALL |  // one bad submission does not hold up the rest
                             IORING_SETUP_CQSIZE | IORING_SETUP_R_DISABLED;

constexpr unsigned kCompletionsPerSubmission = 8;

// Multishot receive came with Linux 6.0 and cannot be asked for; SEND_ZC came with it and can.
bool has_multishot_receive(io_uring& ring) {
    io_uring_probe* probe = io_uring_get_probe_ring(&ring);
    if (!probe) return false;
    const bool supported = io_uring_opcode_supported(probe, IORING_OP_SEND_ZC);
    io_uring_free_probe(probe);
    return supported;
}

}  // namespace

Error explain_setup_failure(int error) {
    switch (error) {
        case ENOSYS:
            return {"this kernel has no io_uring: use Linux 6.0 or newer, or --net dpdk"};
        case EPERM:
        case EACCES:
            return {
                "io_uring is not allowed here: set the sysctl kernel.io_uring_disabled to 0, allow its "
                "system calls in the container's seccomp profile, or use --net dpdk"};
        case ENOMEM:
            return {
                "no memory for an io_uring: raise the limit on locked memory (ulimit -l) or run fewer "
                "shards (--cores)"};
        case EMFILE:
        case ENFILE:
            return {"no file descriptor left for an io_uring: raise the limit on open files (ulimit -n)"};
        default:
            return {"io_uring cannot be set up (" + std::string(std::strerror(error)) +
                    "): use Linux 6.0 or newer, or --net dpdk"};
    }
}

Ring::~Ring() {
    if (open_) io_uring_queue_exit(&ring_);
}

Expected<void> Ring::open(unsigned entries) {
    int result = -EINVAL;
    for (const unsigned mode : kModes) {
        io_uring_params params{};
        params.flags = kAlways | mode;
        params.cq_entries = entries * kCompletionsPerSubmission;
        result = io_uring_queue_init_params(entries, &ring_, &params);
        if (result != -EINVAL) break;
    }
    if (result < 0) return tl::unexpected(explain_setup_failure(-result));
    open_ = true;
    if (!has_multishot_receive(ring_))
        return fail("this kernel's io_uring has no multishot receive: use Linux 6.0 or newer, or --net dpdk");
    return {};
}

void Ring::enable() {
    if (enabled_) return;
    enabled_ = true;
    // What io_uring_enable_rings() does, which liburing 2.3 declares and does not export.
    io_uring_register(static_cast<unsigned>(ring_.ring_fd), IORING_REGISTER_ENABLE_RINGS, nullptr, 0);
}

io_uring_sqe& Ring::next() {
    io_uring_sqe* sqe = io_uring_get_sqe(&ring_);
    assert(sqe);
    return *sqe;
}

bool Ring::submit() {
    enable();
    io_uring_submit_and_get_events(&ring_);
    return queued() == 0;
}

void Ring::get_events() {
    enable();
    io_uring_get_events(&ring_);
}

void Ring::wait(Duration bound) {
    enable();
    __kernel_timespec limit{};
    limit.tv_sec = bound / 1s;
    limit.tv_nsec = (bound % 1s).count();
    io_uring_cqe* first = nullptr;
    io_uring_submit_and_wait_timeout(&ring_, &first, 1, &limit, nullptr);
}

}  // namespace millrace::net::uring
