#include "bench/lab/talker.h"

namespace millrace::bench {

Talker::Talker(const Setup& setup)
    : pattern_(setup.pattern), index_(setup.index), shards_(setup.shards), payload_(setup.payload) {
    open_.reserve(setup.connections);
}

void Talker::opened(ClientSocket& ws) {
    ws.state().number = static_cast<std::uint32_t>(open_.size() * shards_ + index_);
    open_.push_back(ws.id());
    ++progress_.opened;
}

void Talker::closed(ClientSocket& ws) {
    const LabClient::State& state = ws.state();
    open_[state.number / shards_] = net::kNoConn;
    lost_ += state.said - state.heard;
    ++connections_lost_;
}

}  // namespace millrace::bench
