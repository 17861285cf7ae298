#pragma once
// Bytes built once and sent to many by reference.

#include <rte_mbuf.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "netstack/port/mbuf.h"
#include "netstack/tcp/tx_meta.h"

namespace millrace::tcp {

// A counted reference to an immutable chain of data mbufs. The count is a plain number in the first mbuf's
// private area: a Shared never leaves its shard. Sent segments refer to the mbufs themselves, so the bytes
// outlive the last Shared until every peer has acknowledged them.
class Shared {
  public:
    Shared() = default;
    Shared(const Shared& other) : chain_(other.chain_) {
        if (chain_) ++control().references;
    }
    Shared(Shared&& other) noexcept : chain_(std::exchange(other.chain_, nullptr)) {}
    Shared& operator=(Shared other) noexcept {
        std::swap(chain_, other.chain_);
        return *this;
    }
    ~Shared() {
        if (chain_ && --control().references == 0) net::release(chain_);
    }

    explicit operator bool() const { return chain_ != nullptr; }
    std::size_t size() const { return chain_ ? chain_->pkt_len : 0; }

    // Calls visitor(std::span<const std::byte>) for each part, in order.
    template <class Visitor>
    void visit(Visitor&& visitor) const {
        for (const rte_mbuf* part = chain_; part; part = part->next)
            visitor(std::span(rte_pktmbuf_mtod(part, const std::byte*), part->data_len));
    }

  private:
    friend class Tcp;
    struct Control {
        std::uint32_t references;
    };
    static_assert(sizeof(Control) <= kTxPrivateBytes);

    // Takes the chain over.
    explicit Shared(rte_mbuf* chain) : chain_(chain) { control().references = 1; }
    Control& control() const { return *static_cast<Control*>(rte_mbuf_to_priv(chain_)); }

    rte_mbuf* chain_ = nullptr;
};

}  // namespace millrace::tcp
