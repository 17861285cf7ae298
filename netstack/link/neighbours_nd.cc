// What neighbour discovery does to the neighbour table (RFC 4861 section 7.2).

#include "netstack/link/neighbours.h"

namespace millrace::net {

bool Neighbours::send(const NdToSend& nd) {
    if (nd_to_send_.size() == kMessagesAtOnce) return false;
    nd_to_send_.push_back(nd);
    ++(nd.packet.type == NdType::kNeighbourSolicitation ? counters_->solicitations_sent
                                                        : counters_->advertisements_sent);
    return true;
}

bool Neighbours::input(const NdPacket& packet, Time now) {
    if (packet.type == NdType::kNeighbourAdvertisement) return advertisement_arrives(packet, now);
    solicitation_arrives(packet, now);
    return false;
}

// Section 7.2.3; and RFC 4862 section 5.4.3 for those of duplicate address detection, which come from
// nowhere.
void Neighbours::solicitation_arrives(const NdPacket& packet, Time now) {
    ++counters_->solicitations_received;
    if (!local_->is_local(packet.target)) {
        ++counters_->ignored;
        return;
    }
    const bool probe = packet.source.is_unspecified();
    if (local_->is_local(packet.source)) {
        if (packet.link_address != mac_) conflict(packet.source, now);
        return;
    }
    // Two that ask about the same address at the same time: neither may have it (RFC 4862 section 5.4.3).
    if (probe && asking_) return conflict(packet.target, now);
    if (asking_) {  // and nobody else is answered
        ++counters_->ignored;
        return;
    }
    if (!probe && packet.link_address) learn_from_source(packet.source, *packet.link_address);
    if (config_.answers && !is_duplicate(packet.target)) answer(packet);
}

// A link-layer address that its owner names: a new one makes the entry STALE, as nothing says that our
// packets reach it.
void Neighbours::learn_from_source(const IpAddress& source, const MacAddress& mac) {
    Entry* entry = lookup(source);
    if (!entry && !(entry = insert(source, Newcomer::kKnown))) {
        ++counters_->table_full;
        return;
    }
    const bool known = entry->state != State::kFailed && entry->state != State::kIncomplete;
    if (known && entry->header.destination == mac) return;
    set_mac(*entry, mac);
    become_stale(*entry);
}

void Neighbours::learn_router(const IpAddress& router, const MacAddress& mac) {
    learn_from_source(router, mac);
}

// Section 7.2.4.
void Neighbours::answer(const NdPacket& solicitation) {
    NdPacket advertisement{.type = NdType::kNeighbourAdvertisement,
                           .source = solicitation.target,
                           .destination = solicitation.source,
                           .target = solicitation.target,
                           .solicited = true,
                           .override_entry = true,
                           .link_address = mac_};
    if (solicitation.source.is_unspecified()) {
        advertisement.destination = kAllNodes;
        advertisement.solicited = false;
        send({mac_of_group(kAllNodes), advertisement});
        return;
    }
    const Entry* entry = lookup(solicitation.source);
    if (solicitation.link_address) {
        send({*solicitation.link_address, advertisement});
    } else if (entry && entry->state != State::kFailed && entry->state != State::kIncomplete) {
        send({entry->header.destination, advertisement});
    } else {
        ++counters_->ignored;  // from a neighbour that we would have to resolve in order to answer
    }
}

// Section 7.2.5.
bool Neighbours::advertisement_arrives(const NdPacket& packet, Time now) {
    ++counters_->advertisements_received;
    if (local_->is_local(packet.target)) {
        if (packet.link_address != mac_) conflict(packet.target, now);
        return false;
    }
    Entry* entry = lookup(packet.target);
    if (!entry || entry->state == State::kFailed ||
        (entry->state == State::kIncomplete && !packet.link_address)) {
        ++counters_->ignored;
        return false;
    }
    const bool other_mac = packet.link_address && *packet.link_address != entry->header.destination;
    if (entry->state != State::kIncomplete && other_mac && !packet.override_entry) {
        if (entry->state == State::kReachable) become_stale(*entry);
        return false;
    }
    if (packet.link_address) set_mac(*entry, *packet.link_address);
    if (packet.solicited)
        confirm(*entry, now);
    else if (entry->state == State::kIncomplete || other_mac)
        become_stale(*entry);
    return true;
}

}  // namespace millrace::net
