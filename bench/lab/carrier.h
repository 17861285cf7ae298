#pragma once
// The carrier that the lab measures.

#include "netstack/stack/dpdk_carrier.h"

namespace millrace::bench {

using LabCarrier = net::DpdkCarrier;

}  // namespace millrace::bench
