#pragma once
// What the stages of a client shard have in common: its open connections, saying the next message on one, and
// judging what comes back.

#include <cstdint>
#include <string>
#include <vector>

#include "bench/control/patience.h"
#include "bench/lab/client_endpoint.h"
#include "bench/traffic/pattern.h"
#include "netstack/base/counter.h"

namespace millrace::bench {

// For the live line: written by the shard, read by the main thread.
struct Progress {
    Counter opened;
    Counter failed;
    Counter verified;
};

class Talker {
  public:
    struct Setup {
        const Pattern& pattern;
        std::uint64_t payload;      // bytes
        unsigned index;             // of the shard, of
        unsigned shards;            // so many client shards
        std::uint64_t connections;  // of this shard, at most
    };
    explicit Talker(const Setup& setup);

    void attach(ClientEndpoint& endpoint) { endpoint_ = &endpoint; }
    ClientEndpoint& endpoint() { return *endpoint_; }

    // --- connections, in the order in which they opened ---
    std::size_t count() const { return open_.size(); }
    // kNoConn when it has been lost since.
    net::ConnId at(std::size_t i) const {
        return endpoint_->state<LabClient>(open_[i]).said == LabClient::kGone ? net::kNoConn : open_[i];
    }
    // What at() and socket() will touch is fetched: first where the connection's id lies, then the
    // connection.
    void prefetch_id(std::size_t i) const { __builtin_prefetch(&open_[i]); }
    void prefetch(std::size_t i) const { endpoint_->prefetch(open_[i]); }
    ClientSocket socket(std::size_t i) { return {*endpoint_, open_[i]}; }
    void opened(ClientSocket& ws);
    void closed(ClientSocket& ws);

    // Of a connection, in the whole lab.
    std::uint32_t number(net::ConnId id) const { return net::index(id) * shards_ + index_; }

    // --- talking ---
    void set_payload(std::uint64_t bytes) { payload_.resize(bytes); }
    SendStatus say(ClientSocket& ws) {
        LabClient::State& state = ws.state();
        pattern_.fill(payload_, number(ws.id()), state.said);
        const SendStatus status = ws.send_binary(payload_);
        if (status != SendStatus::kSent) [[unlikely]]
            return status;
        ++state.said;
        ++said_;
        return status;
    }
    // True when `message` is the echo of the oldest message unanswered on the connection.
    bool hear(ClientSocket& ws, const Message& message) {
        LabClient::State& state = ws.state();
        if (state.heard == state.said) [[unlikely]] {  // nothing was asked
            ++corrupted_;
            return false;
        }
        const bool right = message.opcode() == ws::Opcode::kBinary && message.size() == payload_.size() &&
                           pattern_.matches(message, number(ws.id()), state.heard);
        ++state.heard;
        ++heard_;
        if (!right) [[unlikely]] {
            ++corrupted_;
            return false;
        }
        ++progress_.verified;
        verified_bytes_ += payload_.size();
        return true;
    }

    // Of the whole run; a stage takes the difference.
    std::uint64_t verified() const { return progress_.verified.value(); }
    std::uint64_t verified_bytes() const { return verified_bytes_; }
    std::uint64_t corrupted() const { return corrupted_; }
    // Messages on their way on connections that are still open.
    std::uint64_t outstanding() const { return said_ - heard_ - lost_; }
    std::uint64_t said() const { return said_; }
    std::uint64_t connections_lost() const { return connections_lost_; }

    Progress& progress() { return progress_; }
    const Progress& progress() const { return progress_; }

  private:
    const Pattern& pattern_;
    const unsigned index_;
    const unsigned shards_;
    ClientEndpoint* endpoint_ = nullptr;
    std::vector<net::ConnId> open_;
    std::vector<std::byte> payload_;
    std::uint64_t said_ = 0;
    std::uint64_t heard_ = 0;
    std::uint64_t lost_ = 0;  // messages unanswered when their connection ended
    std::uint64_t verified_bytes_ = 0;
    std::uint64_t corrupted_ = 0;
    std::uint64_t connections_lost_ = 0;
    Progress progress_;
};

}  // namespace millrace::bench
