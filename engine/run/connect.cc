#include "engine/run/connect.h"

namespace millrace::detail {

void supervise_client(ClientStatus& status) {
    constexpr Duration kLook = 10ms;
    bool draining = false;
    while (!status.ended.load()) {
        if (!wait_for_end_signal(kLook)) continue;
        (draining ? status.control.stop : status.control.drain).store(true);
        draining = true;
    }
}

}  // namespace millrace::detail
