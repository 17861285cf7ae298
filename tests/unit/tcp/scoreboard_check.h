#pragma once
// The sums of a send queue against its units, one by one.

#include <gtest/gtest.h>

#include "netstack/tcp/connection.h"
#include "netstack/tcp/send_queue.h"

namespace millrace::tcp::test {

inline void expect_consistent(const SendQueue& q, const Connection& c) {
    std::uint32_t sacked_bytes = 0, sacked_units = 0, lost_bytes = 0;
    bool before_lost = q.lost != nullptr, before_unsent = true;
    Seq at = q.head == nullptr ? q.end : meta(q.head).seq;
    for (rte_mbuf* unit = q.head; unit != nullptr; unit = meta(unit).next) {
        const TxMeta& m = meta(unit);
        ASSERT_EQ(m.seq, at) << "the units have a gap";
        ASSERT_GT(m.length, 0);
        at = m.end();
        if (unit == q.lost) before_lost = false;
        if (unit == q.unsent) before_unsent = false;
        ASSERT_TRUE(!before_unsent || m.end() <= c.snd_nxt);
        if (m.has(kUnitSacked)) {
            ASSERT_FALSE(m.has(kUnitLost));
            ASSERT_TRUE(before_unsent);
            sacked_bytes += m.length;
            ++sacked_units;
        }
        if (m.has(kUnitLost)) {
            ASSERT_FALSE(before_lost) << "a lost unit lies before the mark";
            lost_bytes += SendQueue::sent_bytes(unit, c.snd_nxt);
        }
        ASSERT_TRUE(m.seq < c.snd_nxt || m.marks == 0) << "an unsent unit is marked";
    }
    ASSERT_EQ(at, q.end);
    ASSERT_TRUE(q.head == nullptr || c.state <= State::kSynReceived || meta(q.head).seq == c.snd_una);
    ASSERT_EQ(q.sacked_bytes, sacked_bytes);
    ASSERT_EQ(q.sacked_units, sacked_units);
    ASSERT_EQ(q.lost_bytes, lost_bytes);
    // A scoreboard that has marks keeps its acknowledgments off the short way.
    ASSERT_TRUE(sacked_units == 0 || c.has(kSacked));
    ASSERT_TRUE(lost_bytes == 0 || c.has(kRecovery | kTimeoutRecovery));
}

}  // namespace millrace::tcp::test
