#pragma once
// What happened, counted by the one thread that owns the shard and read by any. Kernel names (RFC 4022's and
// TcpExt's) where the kernel has one, so that they mean what a reader of nstat expects.

#include <array>
#include <string_view>

#include "netstack/base/counter.h"

namespace millrace::tcp {

struct Counters {
    Counter active_opens, passive_opens, attempt_fails, established_resets;
    Counter in_segments, out_segments, retransmitted_segments, in_errors, out_resets;
    Counter fast_path, listen_drops_full, no_ports;
    Counter cookies_sent, cookies_received, cookies_failed, mss_floors;
    Counter paws_rejected, timestamps_missing, challenge_acks, syn_challenges, acks_skipped, out_of_window;
    Counter fast_retransmits, slow_start_retransmits, lost_retransmissions;
    Counter timeouts, spurious_rtos, aborts_on_timeout, window_probes, delayed_acks;
    Counter sack_recoveries, sack_recovery_failures, reno_recoveries, reno_recovery_failures, full_undos;
    Counter sack_discards, sack_reneging, sack_reorder, dsacks_received, dsacks_out_of_order_received;
    Counter loss_probes, loss_probe_recoveries;
    Counter out_of_order, out_of_order_drops, receive_drops_events, receive_drops_memory;
    Counter dsack_old_sent, dsack_out_of_order_sent;
    Counter time_wait, time_wait_recycled, time_wait_reused, time_wait_evicted;
    Counter windows_grown, windows_bounded, windows_shrunk;
    Counter keep_alives, fin_wait_2_timeouts, aborts_on_memory;
    Counter data_pool_dry, header_pool_dry, blocks_dry, shared_copies;
    Counter unreachables, icmps_out_of_window, path_mtu_messages, path_mtu_reductions, path_mtu_floors;
    Counter path_mtu_black_holes, path_mtu_probes_passed, path_mtu_probes_failed;
    Counter path_mtus_reused, path_mtus_evicted;
};

struct CounterName {
    std::string_view name;
    Counter Counters::*counter;
};

inline constexpr std::array kCounterNames{
    CounterName{"tcp.ActiveOpens", &Counters::active_opens},
    CounterName{"tcp.PassiveOpens", &Counters::passive_opens},
    CounterName{"tcp.AttemptFails", &Counters::attempt_fails},
    CounterName{"tcp.EstabResets", &Counters::established_resets},
    CounterName{"tcp.InSegs", &Counters::in_segments},
    CounterName{"tcp.OutSegs", &Counters::out_segments},
    CounterName{"tcp.RetransSegs", &Counters::retransmitted_segments},
    CounterName{"tcp.InErrs", &Counters::in_errors},
    CounterName{"tcp.OutRsts", &Counters::out_resets},
    CounterName{"tcp.TCPHPHits", &Counters::fast_path},
    CounterName{"tcp.ListenOverflows", &Counters::listen_drops_full},
    CounterName{"tcp.NoPorts", &Counters::no_ports},
    CounterName{"tcp.SyncookiesSent", &Counters::cookies_sent},
    CounterName{"tcp.SyncookiesRecv", &Counters::cookies_received},
    CounterName{"tcp.SyncookiesFailed", &Counters::cookies_failed},
    CounterName{"tcp.MssFloor", &Counters::mss_floors},
    CounterName{"tcp.PAWSEstab", &Counters::paws_rejected},
    CounterName{"tcp.TimestampsMissing", &Counters::timestamps_missing},
    CounterName{"tcp.TCPChallengeACK", &Counters::challenge_acks},
    CounterName{"tcp.TCPSYNChallenge", &Counters::syn_challenges},
    CounterName{"tcp.TCPACKSkipped", &Counters::acks_skipped},
    CounterName{"tcp.OutOfWindow", &Counters::out_of_window},
    CounterName{"tcp.TCPFastRetrans", &Counters::fast_retransmits},
    CounterName{"tcp.TCPSlowStartRetrans", &Counters::slow_start_retransmits},
    CounterName{"tcp.TCPLostRetransmit", &Counters::lost_retransmissions},
    CounterName{"tcp.TCPTimeouts", &Counters::timeouts},
    CounterName{"tcp.TCPSpuriousRTOs", &Counters::spurious_rtos},
    CounterName{"tcp.TCPAbortOnTimeout", &Counters::aborts_on_timeout},
    CounterName{"tcp.TCPWinProbe", &Counters::window_probes},
    CounterName{"tcp.DelayedACKs", &Counters::delayed_acks},
    CounterName{"tcp.TCPSackRecovery", &Counters::sack_recoveries},
    CounterName{"tcp.TCPSackRecoveryFail", &Counters::sack_recovery_failures},
    CounterName{"tcp.TCPRenoRecovery", &Counters::reno_recoveries},
    CounterName{"tcp.TCPRenoRecoveryFail", &Counters::reno_recovery_failures},
    CounterName{"tcp.TCPFullUndo", &Counters::full_undos},
    CounterName{"tcp.TCPSACKDiscard", &Counters::sack_discards},
    CounterName{"tcp.TCPSACKReneging", &Counters::sack_reneging},
    CounterName{"tcp.TCPSACKReorder", &Counters::sack_reorder},
    CounterName{"tcp.TCPDSACKRecv", &Counters::dsacks_received},
    CounterName{"tcp.TCPDSACKOfoRecv", &Counters::dsacks_out_of_order_received},
    CounterName{"tcp.TCPLossProbes", &Counters::loss_probes},
    CounterName{"tcp.TCPLossProbeRecovery", &Counters::loss_probe_recoveries},
    CounterName{"tcp.TCPOFOQueue", &Counters::out_of_order},
    CounterName{"tcp.OfoPruned", &Counters::out_of_order_drops},
    CounterName{"tcp.EventsFullDrop", &Counters::receive_drops_events},
    CounterName{"tcp.RcvPoolDrop", &Counters::receive_drops_memory},
    CounterName{"tcp.TCPDSACKOldSent", &Counters::dsack_old_sent},
    CounterName{"tcp.TCPDSACKOfoSent", &Counters::dsack_out_of_order_sent},
    CounterName{"tcp.TW", &Counters::time_wait},
    CounterName{"tcp.TWRecycled", &Counters::time_wait_recycled},
    CounterName{"tcp.TWReused", &Counters::time_wait_reused},
    CounterName{"tcp.TWEvicted", &Counters::time_wait_evicted},
    CounterName{"tcp.WindowsGrown", &Counters::windows_grown},
    CounterName{"tcp.WindowsBounded", &Counters::windows_bounded},
    CounterName{"tcp.WindowsShrunk", &Counters::windows_shrunk},
    CounterName{"tcp.TCPKeepAlive", &Counters::keep_alives},
    CounterName{"tcp.TCPAbortOnLinger", &Counters::fin_wait_2_timeouts},
    CounterName{"tcp.TCPAbortOnMemory", &Counters::aborts_on_memory},
    CounterName{"tcp.DataPoolDry", &Counters::data_pool_dry},
    CounterName{"tcp.HeaderPoolDry", &Counters::header_pool_dry},
    CounterName{"tcp.BlocksDry", &Counters::blocks_dry},
    CounterName{"tcp.SharedCopies", &Counters::shared_copies},
    CounterName{"tcp.Unreachables", &Counters::unreachables},
    CounterName{"tcp.OutOfWindowIcmps", &Counters::icmps_out_of_window},
    CounterName{"tcp.PathMtuMessages", &Counters::path_mtu_messages},
    CounterName{"tcp.PathMtuReductions", &Counters::path_mtu_reductions},
    CounterName{"tcp.PathMtuFloors", &Counters::path_mtu_floors},
    CounterName{"tcp.PathMtuBlackHoles", &Counters::path_mtu_black_holes},
    CounterName{"tcp.TCPMTUPSuccess", &Counters::path_mtu_probes_passed},
    CounterName{"tcp.TCPMTUPFail", &Counters::path_mtu_probes_failed},
    CounterName{"tcp.PathMtusReused", &Counters::path_mtus_reused},
    CounterName{"tcp.PathMtusEvicted", &Counters::path_mtus_evicted},
};
static_assert(kCounterNames.size() * sizeof(Counter) == sizeof(Counters), "every counter has a name");

}  // namespace millrace::tcp
