#pragma once
// What a peer prints at its end: one line of JSON.

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "tests/interop/peer/exchange.h"

namespace millrace::interop {

class Report {
  public:
    // A connection's first moment, and each moment at which payload came or was acknowledged; seconds.
    void begun(double now) {
        if (begun_ < 0) begun_ = now;
    }
    void moved(double now) { moved_ = now; }
    // A connection is over. "finished" is both sides' FIN; anything else is told as it is.
    void ended(const Exchange& exchange, std::string_view how) {
        ++over_;
        ++ends_[std::string(how)];
        if (!exchange.complete()) ++incomplete_;
        sent_ += exchange.bytes_sent();
        received_ += exchange.bytes_received();
    }
    std::uint64_t over() const { return over_; }
    nlohmann::json json() const {
        return {{"ends", ends_},
                {"incomplete", incomplete_},
                {"sent", sent_},
                {"received", received_},
                {"seconds", begun_ < 0 ? 0 : moved_ - begun_}};
    }

  private:
    std::map<std::string, std::uint64_t> ends_;
    double begun_ = -1;
    double moved_ = 0;
    std::uint64_t over_ = 0, incomplete_ = 0, sent_ = 0, received_ = 0;
};

}  // namespace millrace::interop
