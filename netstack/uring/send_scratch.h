#pragma once
// What submissions point at until the kernel has read them: it does so while they are submitted
// (IORING_FEAT_SUBMIT_STABLE), so one arena serves every batch.

#include <sys/socket.h>
#include <sys/uio.h>

#include <cstddef>
#include <span>
#include <vector>

#include "netstack/uring/socket.h"

namespace millrace::net::uring {

class SendScratch {
  public:
    // Parts of one send at most: more would only lengthen the time that its blocks are held.
    static constexpr std::size_t kParts = 64;

    explicit SendScratch(std::size_t submissions)
        : messages_(submissions), addresses_(submissions), parts_(submissions * kPartsOnAverage + kParts) {}

    bool full() const { return used_ == messages_.size() || parts_used_ + kParts > parts_.size(); }
    std::span<iovec> parts() { return {parts_.data() + parts_used_, kParts}; }
    // A message of the first `count` of parts().
    msghdr* message(std::size_t count) {
        msghdr& message = messages_[used_++] = {};
        message.msg_iov = parts_.data() + parts_used_;
        message.msg_iovlen = count;
        parts_used_ += count;
        return &message;
    }
    const KernelAddress* address(const KernelAddress& address) { return &(addresses_[used_++] = address); }
    // Everything has been submitted.
    void reset() { used_ = parts_used_ = 0; }

  private:
    static constexpr std::size_t kPartsOnAverage = 8;

    std::vector<msghdr> messages_;
    std::vector<KernelAddress> addresses_;
    std::vector<iovec> parts_;
    std::size_t used_ = 0;
    std::size_t parts_used_ = 0;
};

}  // namespace millrace::net::uring
