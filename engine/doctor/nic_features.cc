#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "engine/doctor/examine.h"

namespace millrace::doctor {
namespace {

// True when the interface has answered.
template <class Request>
bool ask(int socket, const std::string& interface, Request& request) {
    ifreq asked{};
    std::memcpy(asked.ifr_name, interface.data(), std::min<std::size_t>(interface.size(), IFNAMSIZ - 1));
    asked.ifr_data = reinterpret_cast<char*>(&request);
    return ::ioctl(socket, SIOCETHTOOL, &asked) == 0;
}

bool is_on(int socket, const std::string& interface, std::uint32_t command) {
    ethtool_value value{.cmd = command, .data = 0};
    return ask(socket, interface, value) && value.data != 0;
}

}  // namespace

std::optional<NicFeatures> nic_features(const std::string& interface) {
    const int socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (socket < 0) return std::nullopt;
    ethtool_channels channels{};
    channels.cmd = ETHTOOL_GCHANNELS;
    std::optional<NicFeatures> features;
    if (ask(socket, interface, channels))
        features = {.queues = std::max(channels.max_rx, channels.max_combined),
                    .receive_checksum = is_on(socket, interface, ETHTOOL_GRXCSUM),
                    .transmit_checksum = is_on(socket, interface, ETHTOOL_GTXCSUM),
                    .segmentation = is_on(socket, interface, ETHTOOL_GTSO)};
    ::close(socket);
    return features;
}

}  // namespace millrace::doctor
