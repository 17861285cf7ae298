#include "netstack/port/queue.h"

#include "netstack/port/cable_sender.h"
#include "netstack/port/mbuf.h"

namespace millrace::net {

unsigned PortQueue::receive_from_all(std::span<rte_mbuf*> burst) {
    turn_ = static_cast<std::uint16_t>(turn_ + 1 == rx_count_ ? 0 : turn_ + 1);
    unsigned got = 0;
    for (unsigned i = 0; i < rx_count_; ++i) {
        const unsigned queue = turn_ + i < rx_count_ ? turn_ + i : turn_ + i - rx_count_;
        const std::size_t share = (burst.size() - got) / (rx_count_ - i);
        got += receive_from(static_cast<std::uint16_t>(first_rx_ + queue), burst.subspan(got, share));
    }
    return got;
}

unsigned PortQueue::transmit(std::span<rte_mbuf*> burst) {
    if (cable_) return cable_->transmit(burst);
    if (burst.empty()) return 0;
    const auto all = static_cast<std::uint16_t>(burst.size());
    if (!prepare_) return rte_eth_tx_burst(port_, tx_, burst.data(), all);
    const std::uint16_t good = rte_eth_tx_prepare(port_, tx_, burst.data(), all);
    const std::uint16_t sent = rte_eth_tx_burst(port_, tx_, burst.data(), good);
    if (sent < good || good == all) return sent;
    // One that the driver refuses is lost, as on the wire, or it would stand in the way for ever.
    release(burst[good]);
    ++refused_;
    return good + 1u;
}

}  // namespace millrace::net
