#include "bench/lab/floor.h"

#include <rte_errno.h>

namespace millrace::bench {

Expected<BareRing> BareRing::create() {
    constexpr unsigned kSlots = 64;
    constexpr unsigned kFlags = RING_F_SP_ENQ | RING_F_SC_DEQ;
    Ring there(rte_ring_create("lab-floor-there", kSlots, SOCKET_ID_ANY, kFlags));
    Ring back(rte_ring_create("lab-floor-back", kSlots, SOCKET_ID_ANY, kFlags));
    if (!there || !back)
        return fail(std::string("cannot create the rings of the latency floor: ") + rte_strerror(rte_errno));
    return BareRing(std::move(there), std::move(back));
}

bool FloorStage::tick(BareRing& ring, const TscClock& clock) {
    if (!flying_) {
        thrown_ = clock.now();
        if (thrown_ >= until_) return true;
        flying_ = ring.throw_ball();
        return false;
    }
    if (!ring.catch_ball()) return false;
    round_trips_.record(clock.now() - thrown_);
    flying_ = false;
    return false;
}

}  // namespace millrace::bench
