#include "bench/bulk/receiver.h"

namespace millrace::bench {

bool Receiver::turn(Time now) {
    meter_.turn(now, received_, worked_, carrier_);
    worked_ = false;
    for (const tcp::Event& event : carrier_.poll(now)) {
        switch (event.kind) {
            case net::EventKind::kAccepted:
                meter_.opened(now, carrier_);
                break;
            case net::EventKind::kReceived: {
                const std::span<const std::byte> bytes = event.bytes.bytes();
                if (!stream_.matches(bytes, received_)) [[unlikely]]
                    corrupted_ += bytes.size();
                received_ += bytes.size();
                worked_ = true;
                break;
            }
            case net::EventKind::kPeerClosed:
                meter_.cut_short(now);
                carrier_.close(event.conn);
                break;
            case net::EventKind::kClosed:
                reason_ = event.reason;
                over_ = true;
                break;
            default:
                break;
        }
    }
    carrier_.flush(now);
    return !over_;
}

}  // namespace millrace::bench
