#pragma once
// What one shard holds of a port: the queues it polls and its way out. Used by that shard's thread only.

#include <rte_ethdev.h>

#include <cstdint>
#include <span>

#include "netstack/base/counter.h"

namespace millrace::net {

class CableSender;

class PortQueue {
  public:
    PortQueue() = default;
    // Receive queues [first_rx, first_rx + rx_count) and one transmit queue of an ethdev.
    PortQueue(std::uint16_t port, std::uint16_t first_rx, std::uint16_t rx_count, std::uint16_t tx)
        : port_(port), first_rx_(first_rx), rx_count_(rx_count), tx_(tx) {}
    // The same receive queues, and a cable's copying way out.
    PortQueue(std::uint16_t port, std::uint16_t first_rx, std::uint16_t rx_count, CableSender& cable)
        : port_(port), first_rx_(first_rx), rx_count_(rx_count), data_at_(sizeof(rte_mbuf)), cable_(&cable) {}

    std::uint16_t port() const { return port_; }

    // Fills `burst` from the front with packets that the caller owns from now on; returns how many.
    unsigned receive(std::span<rte_mbuf*> burst) {
        if (rx_count_ == 1) return receive_from(first_rx_, burst);
        return receive_from_all(burst);
    }
    // From now on packets go through rte_eth_tx_prepare(), where drivers put into headers what their NIC
    // wants there for large sends.
    void prepare_packets() { prepare_ = true; }
    // Takes over the first packets of the burst, in order; returns how many. The rest stays with the caller,
    // to be offered again. Called every poll, also with an empty burst: a cable may still hold a part of an
    // earlier one.
    unsigned transmit(std::span<rte_mbuf*> burst);
    // Packets that the driver would not prepare; any thread may ask.
    std::uint64_t refused() const { return refused_.value(); }

  private:
    // A packet's description and its headers are asked for at once: their place in a fresh mbuf is known, and
    // a miss after the other costs a lone packet most of its latency (both lines come from another core, or
    // from the NIC).
    unsigned receive_from(std::uint16_t queue, std::span<rte_mbuf*> burst) {
        const unsigned n =
            rte_eth_rx_burst(port_, queue, burst.data(), static_cast<std::uint16_t>(burst.size()));
        for (unsigned i = 0; i < n; ++i) {
            const auto* mbuf = reinterpret_cast<const char*>(burst[i]);
            rte_prefetch0(mbuf);
            rte_prefetch0(mbuf + data_at_);
            rte_prefetch0(mbuf + data_at_ + 64);
        }
        return n;
    }
    // Every queue gets an equal share of the burst at least, and a different one is first each time.
    unsigned receive_from_all(std::span<rte_mbuf*> burst);

    std::uint16_t port_ = RTE_MAX_ETHPORTS;
    std::uint16_t first_rx_ = 0;
    std::uint16_t rx_count_ = 0;
    std::uint16_t tx_ = 0;
    std::uint16_t turn_ = 0;
    // Where a fresh packet's first byte lies in its mbuf: a cable leaves no headroom (see Wire::put).
    std::uint16_t data_at_ = sizeof(rte_mbuf) + RTE_PKTMBUF_HEADROOM;
    bool prepare_ = false;
    Counter refused_;
    CableSender* cable_ = nullptr;
};

}  // namespace millrace::net
