// An ACK that has SACK blocks, or that comes while something is amiss: the scoreboard (RFC 2018 section 5,
// RFC 6675 section 4), losses by RACK, recovery, and the tail loss probe's answer.

#include "netstack/tcp/tcp.h"

namespace millrace::tcp {

// RFC 2883 section 4: a first block that the acknowledgment, or the second block, covers reports a duplicate.
std::optional<SackBlock> Tcp::duplicate_block(const Segment& segment) const {
    const auto blocks = segment.options.sack_blocks();
    if (blocks.empty() || blocks[0].to <= blocks[0].from) return std::nullopt;
    if (blocks[0].to <= segment.ack) return blocks[0];
    if (blocks.size() > 1 && blocks[1].from <= blocks[0].from && blocks[0].to <= blocks[1].to)
        return blocks[0];
    return std::nullopt;
}

// Only what is outstanding can be SACKed. In ascending order, or a block that merely comes second would look
// like reordering.
void Tcp::mark_sacked(Connection& c, SendQueue& q, const Segment& segment, Arrival& arrival) {
    std::array<SackBlock, kMostSackBlocks> valid;
    std::size_t count = 0;
    for (const SackBlock& block : segment.options.sack_blocks()) {
        if (block.to <= c.snd_una && block.from < block.to) continue;  // a duplicate, or old news
        if (block.from <= c.snd_una || block.to <= block.from || block.to > c.snd_nxt) {
            ++counters_.sack_discards;
            continue;
        }
        std::size_t at = count++;
        for (; at > 0 && block.from < valid[at - 1].from; --at)
            valid[at] = valid[at - 1];
        valid[at] = block;
    }
    for (std::size_t i = 0; i < count; ++i)
        q.sack(valid[i], arrival);
}

void Tcp::selective_ack(Handle h, const Segment& segment) {
    Connection& c = h.c;
    const bool advances = segment.ack > c.snd_una;
    const bool was_in_use = window_in_use(c);
    const std::uint32_t acked_bytes = advances ? segment.ack - c.snd_una : 0;
    const std::optional<SackBlock> duplicate = duplicate_block(segment);
    if (duplicate)
        ++(duplicate->to <= segment.ack ? counters_.dsacks_received : counters_.dsacks_out_of_order_received);
    if (c.has(kTailProbe)) probe_answered(c, segment, duplicate);
    if (advances) advance_una(h, segment.ack);
    if (c.send_queue == kNoBlock) {  // nothing outstanding, or a FIN alone
        c.clear(kRecovery | kTimeoutRecovery | kSacked);
        // In FIN-WAIT-2 it is the limit of that state.
        if (c.snd_una == c.snd_nxt && c.state != State::kFinWait2) c.clear(kRexmitTimer);
        if (c.has(kFinDue)) mark_dirty(h);
        return;
    }
    SendQueue& q = send_queues_[c.send_queue];
    mark_dirty(h);
    Arrival arrival{.now = now_us_};
    // Only an ACK that advances SND.UNA echoes what it acknowledges (RFC 7323 sections 4.1 and 4.3); another
    // repeats the echo of the last that did, from however long ago.
    if (advances && c.has(kTimestamps) && segment.options.ts_echo != 0)
        arrival.echo_age = std::min((now_ms_ + c.ts_offset - segment.options.ts_echo), kMaxRto / 1000) * 1000;
    if (advances) q.acknowledge(c.snd_una, c.snd_nxt, arrival);
    mark_sacked(c, q, segment, arrival);
    // Nor does one that a duplicate has elicited: the ACK for what had come before it was lost, maybe after a
    // long back-off.
    if (!arrival.resent || (advances && !duplicate)) sample_rtt(c, arrival, segment.options);
    if (arrival.reordered && !c.has(kReordering)) {
        ++counters_.sack_reorder;
        c.set(kReordering);
    }
    const bool after_timeout = c.has(kTimeoutRecovery);
    if (c.has(kRecovery | kTimeoutRecovery) && c.snd_una >= c.recover) leave_recovery(c, q);
    if (duplicate) {
        q.rack().duplicate_reported(c.snd_una, c.snd_nxt);
        if (q.undo().duplicate_reported(*duplicate, c.mss)) undo_reduction(h, q);
    }
    if (advances) undo_if_original_arrived(h, q, segment);

    const std::uint32_t lost_before = q.lost_bytes;
    const std::uint32_t reorder_timeout = detect_losses(c, q);
    recover_step(h, q, arrival.bytes, advances && q.lost_bytes <= lost_before);
    // Duplicate ACKs open no window (RFC 5681 section 3.2 step 1). After a timeout an ACK counts for one
    // segment at most (RFC 3465 section 2.3), as it may jump over what had arrived before it.
    if (!c.has(kRecovery) && advances) {
        const std::uint32_t bytes =
            after_timeout ? std::min<std::uint32_t>(arrival.bytes, c.mss) : acked_bytes;
        grow_window(c, q, arrival, bytes, was_in_use);
    }
    c.clear(kSacked);
    if (q.sacked_units > 0) c.set(kSacked);
    release_if_empty(c);
    if (c.snd_una == c.snd_nxt) {
        if (c.state != State::kFinWait2) c.clear(kRexmitTimer);
    } else if (reorder_timeout > 0) {
        arm_rexmit(h, reorder_timeout);
        c.set(kReorderTimer);
    } else if (advances || c.has(kReorderTimer)) {
        arm_loss_timer(h);
    }
    if (c.has(kSendRefused)) wake_writer(h);
}

}  // namespace millrace::tcp
