#pragma once
// The one protocol that is spoken over TLS here (RFC 7301; RFC 6455 upgrades from HTTP/1.1).

#include <string_view>

namespace millrace::tls {

inline constexpr std::string_view kHttp11 = "http/1.1";

}  // namespace millrace::tls
