#pragma once
// What happened, counted by the shard's thread and read by any.

#include <array>
#include <string_view>

#include "netstack/base/counter.h"

namespace millrace::net::uring {

struct Counters {
    Counter accepted;
    Counter connected;
    Counter closed;             // connections that ended by themselves (a kClosed event)
    Counter aborted;            // connections ended by abort()
    Counter accept_full;        // refused with RST: max_connections was reached
    Counter accept_no_memory;   // accept() failed for want of descriptors or memory; accepting backs off
    Counter accept_errors;      // accept() failed otherwise
    Counter connect_failed;     // connect() ended without a connection
    Counter connect_no_slot;    // connect() refused: max_connections was reached
    Counter connect_no_memory;  // connect() refused: no descriptor, port or memory
    Counter receives;           // receive completions with bytes
    Counter received_bytes;
    Counter receive_armed;       // times a multishot receive was armed
    Counter receive_no_buffers;  // receptions stopped because the buffer ring was empty
    Counter sends;               // send operations that the kernel completed
    Counter sent_bytes;
    Counter send_retries;   // sends that the kernel had no memory for; they are repeated
    Counter send_limit;     // prepare() or append() refused: the connection's unsent bytes reached the bound
    Counter send_pool_dry;  // prepare(), append() or make_shared() refused: the pool of blocks was dry
    Counter submissions_full;   // work that waited for the next flush because the submission queue was full
    Counter completions_full;   // polls that found the completion queue overflowed
    Counter stale_completions;  // completions whose connection was over; harmless
    Counter local_errors;       // system calls that failed though they should not
    Counter sleeps;             // polls that waited for work
};

struct CounterName {
    std::string_view name;
    Counter Counters::*counter;
};

inline constexpr std::array kCounterNames{
    CounterName{"uring.Accepted", &Counters::accepted},
    CounterName{"uring.Connected", &Counters::connected},
    CounterName{"uring.Closed", &Counters::closed},
    CounterName{"uring.Aborted", &Counters::aborted},
    CounterName{"uring.AcceptFull", &Counters::accept_full},
    CounterName{"uring.AcceptNoMemory", &Counters::accept_no_memory},
    CounterName{"uring.AcceptErrors", &Counters::accept_errors},
    CounterName{"uring.ConnectFailed", &Counters::connect_failed},
    CounterName{"uring.ConnectNoSlot", &Counters::connect_no_slot},
    CounterName{"uring.ConnectNoMemory", &Counters::connect_no_memory},
    CounterName{"uring.Receives", &Counters::receives},
    CounterName{"uring.ReceivedBytes", &Counters::received_bytes},
    CounterName{"uring.ReceiveArmed", &Counters::receive_armed},
    CounterName{"uring.ReceiveNoBuffers", &Counters::receive_no_buffers},
    CounterName{"uring.Sends", &Counters::sends},
    CounterName{"uring.SentBytes", &Counters::sent_bytes},
    CounterName{"uring.SendRetries", &Counters::send_retries},
    CounterName{"uring.SendLimit", &Counters::send_limit},
    CounterName{"uring.SendPoolDry", &Counters::send_pool_dry},
    CounterName{"uring.SubmissionsFull", &Counters::submissions_full},
    CounterName{"uring.CompletionsFull", &Counters::completions_full},
    CounterName{"uring.StaleCompletions", &Counters::stale_completions},
    CounterName{"uring.LocalErrors", &Counters::local_errors},
    CounterName{"uring.Sleeps", &Counters::sleeps},
};

}  // namespace millrace::net::uring
