#include "netstack/port/cable_sender.h"

#include <rte_ethdev.h>

#include "netstack/port/flow.h"
#include "netstack/port/mbuf.h"

namespace millrace::net {

void CableSender::flush(unsigned wire) {
    wires_[wire]->flush([&](rte_mbuf** frames, std::uint16_t n) {
        return rte_eth_tx_burst(port_, static_cast<std::uint16_t>(first_tx_ + wire), frames, n);
    });
}

bool CableSender::put(const rte_mbuf* frame) {
    const unsigned to = wires_.size() == 1 ? 0 : queue_of(rss_, flow_of(frame));
    Wire& wire = *wires_[to];
    if (wire.stage_full()) flush(to);
    if (!faults_.empty()) [[unlikely]]
        return faults_[to]->put(wire, frame, receive_flags_);
    return wire.put(frame, receive_flags_);
}

void CableSender::suffer(const CableFaults& faults, unsigned first_wire) {
    for (unsigned i = 0; i < wires_.size(); ++i)
        faults_.push_back(std::make_unique<FaultStage>(faults, first_wire + i));
}

unsigned CableSender::transmit(std::span<rte_mbuf*> burst) {
    unsigned sent = 0;
    while (sent < burst.size() && put(burst[sent]))
        release(burst[sent++]);
    for (unsigned wire = 0; wire < wires_.size(); ++wire) {
        if (!faults_.empty()) [[unlikely]]
            faults_[wire]->turn(*wires_[wire]);
        flush(wire);
    }
    return sent;
}

}  // namespace millrace::net
