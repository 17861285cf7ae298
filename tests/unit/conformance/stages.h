#pragma once
// The stages of one configuration, over every carrier and in both roles, each made when it is first played
// on. A suite closes them when it ends, for they may not outlive DPDK.

#include <memory>

#include "tests/unit/conformance/stage.h"

namespace millrace::conformance {

template <class Suite>
struct Stages {
    template <class Pair>
    static Stage<Pair>& get(ws::Role role) {
        auto& stage = role == ws::Role::kServer ? server<Pair> : client<Pair>;
        if (!stage) {
            stage = std::make_unique<Stage<Pair>>(role, Suite::config());
            if (role == ws::Role::kClient) stage->add_target(Suite::target());
        }
        return *stage;
    }
    template <class... Pairs>
    static void close() {
        ((server<Pairs>.reset(), client<Pairs>.reset()), ...);
    }

  private:
    template <class Pair>
    static inline std::unique_ptr<Stage<Pair>> server;
    template <class Pair>
    static inline std::unique_ptr<Stage<Pair>> client;
};

}  // namespace millrace::conformance
