#pragma once
// What every case is played over once: both carriers, plain and with TLS over them.

#include "tests/unit/carrier/dpdk_pair.h"
#include "tests/unit/carrier/secure_pair.h"
#include "tests/unit/carrier/uring_pair.h"

namespace millrace::conformance {

using net::test::DpdkPair;
using net::test::UringPair;
using SecureDpdkPair = net::test::SecurePairOf<DpdkPair>;
using SecureUringPair = net::test::SecurePairOf<UringPair>;

}  // namespace millrace::conformance
