#pragma once
// Requests that open a WebSocket, as servers see them.

#include <string>

namespace millrace::bench {

// 156 octets, as plain clients send.
inline std::string bare_request() {
    return "GET /echo HTTP/1.1\r\n"
           "Host: 10.0.0.1:9001\r\n"
           "Upgrade: websocket\r\n"
           "Connection: Upgrade\r\n"
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
           "Sec-WebSocket-Version: 13\r\n"
           "\r\n";
}

// 571 octets, as Chromium sends from a page of the same host.
inline std::string browser_request() {
    return "GET /echo HTTP/1.1\r\n"
           "Host: stream.example.org\r\n"
           "Connection: Upgrade\r\n"
           "Pragma: no-cache\r\n"
           "Cache-Control: no-cache\r\n"
           "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
           "Chrome/126.0.0.0 Safari/537.36\r\n"
           "Upgrade: websocket\r\n"
           "Origin: https://stream.example.org\r\n"
           "Sec-WebSocket-Version: 13\r\n"
           "Accept-Encoding: gzip, deflate, br, zstd\r\n"
           "Accept-Language: en-GB,en;q=0.9,de;q=0.8\r\n"
           "Cookie: session=8f14e45fceea167a5a36dedd4bea2543; theme=dark\r\n"
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
           "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
           "\r\n";
}

}  // namespace millrace::bench
