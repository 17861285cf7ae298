#include "bench/lab/talker.h"

namespace millrace::bench {

Talker::Talker(const Setup& setup)
    : pattern_(setup.pattern), index_(setup.index), shards_(setup.shards), payload_(setup.payload) {
    open_.reserve(setup.connections);
}

void Talker::opened(ClientSocket& ws) {
    open_.push_back(ws.id());
    ++progress_.opened;
}

void Talker::closed(ClientSocket& ws) {
    LabClient::State& state = ws.state();
    lost_ += state.said - state.heard;
    state.said = LabClient::kGone;
    ++connections_lost_;
}

}  // namespace millrace::bench
