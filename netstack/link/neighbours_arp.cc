// What ARP packets do to the neighbour table.

#include "netstack/link/neighbours.h"

namespace millrace::net {

bool Neighbours::send(const ArpToSend& arp) {
    if (to_send_.size() == kMessagesAtOnce) return false;
    to_send_.push_back(arp);
    ++(arp.packet.operation == ArpOperation::kRequest ? counters_->requests_sent : counters_->replies_sent);
    return true;
}

void Neighbours::input(const ArpPacket& packet, Time now) {
    const bool request = packet.operation == ArpOperation::kRequest;
    ++(request ? counters_->requests_received : counters_->replies_received);
    // A probe for an address (RFC 5227 section 2.1.1) has no sender address yet: it is answered, nothing is
    // learnt.
    const bool probe = packet.sender.value == 0;
    if (!probe && local_->is_local(packet.sender)) {
        if (packet.sender_mac != mac_) conflict(packet.sender, now);
        return;
    }
    if (!probe && (is_martian_source(packet.sender) || local_->is_broadcast(packet.sender) ||
                   !local_->is_neighbour(packet.sender))) {
        ++counters_->ignored;
        return;
    }
    const bool for_us = local_->is_local(packet.target);
    // Two that ask about the same address at the same time (RFC 5227 section 2.1.1).
    if (probe && for_us && asking_ && packet.sender_mac != mac_) return conflict(packet.target, now);
    if (!probe) {
        // RFC 826 "Packet Reception": what is known is updated by any packet; only one for us adds to the
        // table.
        Entry* entry = lookup(packet.sender);
        if (!entry && for_us && request) entry = insert(packet.sender, Newcomer::kKnown);
        if (entry) {
            set_mac(*entry, packet.sender_mac);
            confirm(*entry, now);
        }
    }
    const bool ours = for_us && !asking_ && !is_duplicate(packet.target);
    if (request && ours && config_.answers) reply_to(packet);
    if (!for_us) ++counters_->ignored;
}

void Neighbours::reply_to(const ArpPacket& request) {
    // One that finds no room is asked for again in a second.
    send({request.sender_mac,
          {ArpOperation::kReply, mac_, request.target, request.sender_mac, request.sender}});
}

}  // namespace millrace::net
