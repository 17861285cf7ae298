#pragma once
// The io_uring carrier's counters: written by the shard's thread alone, read by any. A load and a store,
// both relaxed, are all it takes: no read-modify-write.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace millrace::net::uring {

enum class Counter : std::uint8_t {
    kAccepted,
    kConnected,
    kClosed,           // connections that ended by themselves (a kClosed event)
    kAborted,          // connections ended by abort()
    kAcceptFull,       // refused with RST: max_connections was reached
    kAcceptNoMemory,   // accept() failed for want of descriptors or memory; accepting backs off
    kAcceptErrors,     // accept() failed otherwise
    kConnectFailed,    // connect() ended without a connection
    kConnectNoSlot,    // connect() refused: max_connections was reached
    kConnectNoMemory,  // connect() refused: no descriptor, port or memory
    kReceives,         // receive completions with bytes
    kReceivedBytes,
    kReceiveArmed,      // times a multishot receive was armed
    kReceiveNoBuffers,  // receptions stopped because the buffer ring was empty
    kSends,             // send operations that the kernel completed
    kSentBytes,
    kSendRetries,       // sends that the kernel had no memory for; they are repeated
    kSendLimit,         // prepare() or append() refused: the connection's unsent bytes reached the bound
    kSendPoolDry,       // prepare(), append() or make_shared() refused: the pool of blocks was dry
    kSubmissionsFull,   // work that waited for the next flush because the submission queue was full
    kCompletionsFull,   // polls that found the completion queue overflowed
    kStaleCompletions,  // completions whose connection was over; harmless
    kLocalErrors,       // system calls that failed though they should not
    kSleeps,            // polls that waited for work
    kCount
};

inline constexpr std::array<std::string_view, static_cast<std::size_t>(Counter::kCount)> kCounterNames = {
    "accepted",         "connected",          "closed",        "aborted",
    "accept_full",      "accept_no_memory",   "accept_errors", "connect_failed",
    "connect_no_slot",  "connect_no_memory",  "receives",      "received_bytes",
    "receive_armed",    "receive_no_buffers", "sends",         "sent_bytes",
    "send_retries",     "send_limit",         "send_pool_dry", "submissions_full",
    "completions_full", "stale_completions",  "local_errors",  "sleeps",
};

class Counters {
  public:
    void add(Counter which, std::uint64_t n = 1) {
        auto& value = values_[static_cast<std::size_t>(which)];
        value.store(value.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
    }
    std::uint64_t get(Counter which) const {
        return values_[static_cast<std::size_t>(which)].load(std::memory_order_relaxed);
    }
    template <class Visitor>
    void visit(Visitor&& visitor) const {
        for (std::size_t i = 0; i < values_.size(); ++i)
            visitor(kCounterNames[i], values_[i].load(std::memory_order_relaxed));
    }

  private:
    std::array<std::atomic<std::uint64_t>, static_cast<std::size_t>(Counter::kCount)> values_{};
};

}  // namespace millrace::net::uring
