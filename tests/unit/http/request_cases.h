#pragma once
// RFC 9112 sections 2, 3, 5 and 6 as a table: what is accepted, and what is refused with which status.
// tests/unit/http runs it on the parser alone, tests/unit/conformance on whole endpoints.

#include <string>
#include <vector>

namespace millrace::http::test {

using namespace std::string_literals;
using namespace std::string_view_literals;

struct RequestCase {
    const char* section;
    std::string head;
    int status;  // 0: accepted
};

inline constexpr int kAccepted = 0;

inline std::string head(std::string_view request_line, std::string_view fields = "Host: a\r\n") {
    return std::string(request_line) + "\r\n" + std::string(fields) + "\r\n";
}

inline std::string with(std::string_view fields) {
    return head("GET / HTTP/1.1", "Host: a\r\n" + std::string(fields));
}

inline const std::vector<RequestCase> kRequestCases = {
    // Empty lines, line ends
    {"2.2", "\r\n" + with(""), kAccepted},
    {"2.2", "\r\n\r\n\r\n\r\n" + with(""), kAccepted},
    {"2.2", "\r\n\r\n\r\n\r\n\r\n" + with(""), 400},
    {"2.2", "\n" + with(""), 400},
    {"2.2", "\r" + with(""), 400},
    {"2.2", " " + with(""), 400},
    {"2.2", "GET / HTTP/1.1\nHost: a\n\n", 400},
    {"2.2", "GET / HTTP/1.1\r\nHost: a\n\r\n", 400},
    {"2.2", "GET / HTTP/1.1\r\nHost: a\r\n\n", 400},
    {"2.2", "GET / HTTP/1.1\rHost: a\r\n\r\n", 400},
    {"2.2", "GET / HTTP/1.1\r\nHost: a\r\r\n\r\n", 400},
    {"2.2", "GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n", 400},
    {"2.2", "GET / HTTP/1.1\r\nHost: a\r\n\rX: b\r\n\r\n", 400},
    {"2.2", "GET / HTTP/1.1\r\n X: b\r\nHost: a\r\n\r\n", 400},

    // HTTP-version
    {"2.3", head("GET / HTTP/1.0"), kAccepted},
    {"2.3", head("GET / HTTP/1.0", ""), kAccepted},
    {"2.3", head("GET / HTTP/1.2"), kAccepted},
    {"2.3", head("GET / HTTP/2.0"), 505},
    {"2.3", head("GET / HTTP/0.9"), 505},
    {"2.3", head("GET / HTTP/3"), 505},
    {"2.3", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
    {"2.3", head("GET / http/1.1"), 400},
    {"2.3", head("GET / HTTP/1.10"), 400},
    {"2.3", head("GET / HTTP/10.1"), 400},
    {"2.3", head("GET / HTTP/1,1"), 400},
    {"2.3", head("GET / HTTP/1."), 400},
    {"2.3", head("GET / HTTP/1.x"), 400},
    {"2.3", head("GET / HTTP/"), 400},
    {"2.3", head("GET / HTTP/x.1"), 400},
    {"2.3", head("GET / ICAP/1.0"), 400},

    // Request line
    {"3", head("GET /"), 400},
    {"3", head("GET"), 400},
    {"3", head("GET  / HTTP/1.1"), 400},
    {"3", head("GET /  HTTP/1.1"), 400},
    {"3", head("GET / HTTP/1.1 "), 400},
    {"3", head("GET\t/ HTTP/1.1"), 400},
    {"3", head("GET /\tHTTP/1.1"), 400},
    {"3", head("GET /a b HTTP/1.1"), 400},
    {"3.1", head("get / HTTP/1.1"), kAccepted},
    {"3.1", head("M-SEARCH * HTTP/1.1"), 400},
    {"3.1", head("M-SEARCH / HTTP/1.1"), kAccepted},
    {"3.1", head("A!#$%&'*+-.^_`|~9 / HTTP/1.1"), kAccepted},
    {"3.1", head("G(T / HTTP/1.1"), 400},
    {"3.1", head("G\xc3\x84T / HTTP/1.1"), 400},
    {"3.1", head("G\0T / HTTP/1.1"sv), 400},
    {"3.1", head(std::string(32, 'A') + " / HTTP/1.1"), kAccepted},
    {"3.1", head(std::string(33, 'A') + " / HTTP/1.1"), 501},
    {"3", "\x80\x2e\x01\x03\x01"s, 400},
    {"3", "SSH-2.0-OpenSSH_9.2p1\r\n", 400},
    {"3", "{\"id\":1}\r\n\r\n", 400},
    {"3", "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"s, 400},
    {"3", "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n" + with(""), 400},

    // Targets
    {"3.2.1", head("GET /where?q=now HTTP/1.1"), kAccepted},
    {"3.2.1", head("GET /a/b;c=d/%7Euser/?a=1&b={x}|y HTTP/1.1"), kAccepted},
    {"3.2.1", head("GET //double HTTP/1.1"), kAccepted},
    {"3.2.1", head("GET where HTTP/1.1"), 400},
    {"3.2.1", head("GET ?q HTTP/1.1"), 400},
    {"3.2.1", head("GET /a#b HTTP/1.1"), 400},
    {"3.2.1", head("GET /\"a\" HTTP/1.1"), 400},
    {"3.2.1", head("GET /<a> HTTP/1.1"), 400},
    {"3.2.1", head("GET /\x7f HTTP/1.1"), 400},
    {"3.2.1", head("GET /\xc3\xa9 HTTP/1.1"), 400},
    {"3.2.1", head("GET /\0 HTTP/1.1"sv), 400},
    {"3.2.1", head("GET /" + std::string(40, 'x') + "\x01 HTTP/1.1"), 400},
    {"3.2.2", head("GET http://www.example.org/pub/ HTTP/1.1"), kAccepted},
    {"3.2.2", head("GET HTTP://www.example.org:8080?x HTTP/1.1"), kAccepted},
    {"3.2.2", head("GET ws://[::1]:9001/ HTTP/1.1"), kAccepted},
    {"3.2.2", head("GET http:///path HTTP/1.1"), 400},
    {"3.2.2", head("GET http://:80/ HTTP/1.1"), 400},
    {"3.2.2", head("GET http://user@host/ HTTP/1.1"), 400},
    {"3.2.2", head("GET http:/host/ HTTP/1.1"), 400},
    {"3.2.2", head("GET ://host/ HTTP/1.1"), 400},
    {"3.2.2", head("GET 1http://host/ HTTP/1.1"), 400},
    {"3.2.2", head("GET http://host:port/ HTTP/1.1"), 400},
    {"3.2.2", head("GET http://a/ HTTP/1.1", ""), 400},
    {"3.2.3", head("CONNECT www.example.com:80 HTTP/1.1"), kAccepted},
    {"3.2.3", head("CONNECT [::1]:443 HTTP/1.1"), kAccepted},
    {"3.2.3", head("CONNECT www.example.com HTTP/1.1"), 400},
    {"3.2.3", head("CONNECT www.example.com: HTTP/1.1"), 400},
    {"3.2.3", head("CONNECT :80 HTTP/1.1"), 400},
    {"3.2.3", head("CONNECT / HTTP/1.1"), 400},
    {"3.2.3", head("CONNECT http://a/ HTTP/1.1"), 400},
    {"3.2.3", head("GET www.example.com:80 HTTP/1.1"), 400},
    {"3.2.4", head("OPTIONS * HTTP/1.1"), kAccepted},
    {"3.2.4", head("OPTIONS http://a HTTP/1.1"), kAccepted},
    {"3.2.4", head("GET * HTTP/1.1"), 400},
    {"3.2.4", head("OPTIONS ** HTTP/1.1"), 400},

    // Host
    {"3.2", head("GET / HTTP/1.1", ""), 400},
    {"3.2", head("GET / HTTP/1.1", "X: a\r\n"), 400},
    {"3.2", head("GET / HTTP/1.1", "host: a\r\nHOST: a\r\n"), 400},
    {"3.2", head("GET / HTTP/1.0", "Host: a\r\nHost: b\r\n"), 400},
    {"3.2", head("GET / HTTP/1.1", "Host:\r\n"), kAccepted},
    {"3.2", head("GET / HTTP/1.1", "Host: 127.0.0.1:9001\r\n"), kAccepted},
    {"3.2", head("GET / HTTP/1.1", "Host: [2001:db8::1]:80\r\n"), kAccepted},
    {"3.2", head("GET / HTTP/1.1", "Host: [2001:db8::1\r\n"), 400},
    {"3.2", head("GET / HTTP/1.1", "Host: []\r\n"), 400},
    {"3.2", head("GET / HTTP/1.1", "Host: [::1]x\r\n"), 400},
    {"3.2", head("GET / HTTP/1.1", "Host: a b\r\n"), 400},
    {"3.2", head("GET / HTTP/1.1", "Host: a/b\r\n"), 400},
    {"3.2", head("GET / HTTP/1.1", "Host: u@a\r\n"), 400},
    {"3.2", head("GET / HTTP/1.1", "Host: a:80:80\r\n"), 400},
    {"3.2", head("GET / HTTP/1.1", "Host: a:x\r\n"), 400},
    {"3.2", head("GET / HTTP/1.1", "Host: a:123456\r\n"), 400},

    // Field lines
    {"5", with("X:\r\n"), kAccepted},
    {"5", with("X: \t \r\n"), kAccepted},
    {"5", with("X:a\r\n"), kAccepted},
    {"5", with("X: a b\tc \xff\x80\r\n"), kAccepted},
    {"5", with("x_9.~: 1\r\n"), kAccepted},
    {"5", with(": a\r\n"), 400},
    {"5", with("X\r\n"), 400},
    {"5", with("X Y: a\r\n"), 400},
    {"5", with("X(): a\r\n"), 400},
    {"5", with("X\xc3\xa9: a\r\n"), 400},
    {"5", with("X\0: a\r\n"sv), 400},
    {"5", with("X: a\0b\r\n"sv), 400},
    {"5",
     with("X: a\x01"
          "b\r\n"),
     400},
    {"5", with("X: a\x7f\r\n"), 400},
    {"5", with("X: a\x1b[0m\r\n"), 400},
    {"5", with("X: " + std::string(100, 'a') + "\x0b\r\n"), 400},
    {"5.1", with("X : a\r\n"), 400},
    {"5.1", with("X\t: a\r\n"), 400},
    {"5.1", with("Content-Length : 5\r\n"), 400},
    {"5.2", with("X: a\r\n b\r\n"), 400},
    {"5.2", with("X: a\r\n\tb\r\n"), 400},

    // Content-Length, Transfer-Encoding
    {"6.2", with("Content-Length: 0\r\n"), kAccepted},
    {"6.2", with("Content-Length: 18446744073709551615\r\n"), kAccepted},
    {"6.2", with("Content-Length: 18446744073709551616\r\n"), 400},
    {"6.2", with("Content-Length:\r\n"), 400},
    {"6.2", with("Content-Length: -1\r\n"), 400},
    {"6.2", with("Content-Length: +1\r\n"), 400},
    {"6.2", with("Content-Length: 0x10\r\n"), 400},
    {"6.2", with("Content-Length: 1 2\r\n"), 400},
    {"6.2", with("Content-Length: 1.0\r\n"), 400},
    {"6.3", with("Content-Length: 5, 5\r\n"), 400},
    {"6.3", with("Content-Length: 5\r\ncontent-length: 5\r\n"), kAccepted},
    {"6.3", with("Content-Length: 5\r\nContent-Length: 6\r\n"), 400},
    {"6.1", with("Transfer-Encoding: chunked\r\n"), kAccepted},
    {"6.1", with("transfer-encoding: ChUnKeD\r\n"), kAccepted},
    {"6.1", with("Transfer-Encoding: , chunked ,\r\n"), kAccepted},
    {"6.1", with("Transfer-Encoding: gzip\r\n"), 501},
    {"6.1", with("Transfer-Encoding: gzip, chunked\r\n"), 501},
    {"6.1", with("Transfer-Encoding: chunked, identity\r\n"), 501},
    {"6.1", with("Transfer-Encoding: xchunked\r\n"), 501},
    {"6.1", with("Transfer-Encoding: \"chunked\"\r\n"), 501},
    {"6.1", with("Transfer-Encoding: chunked, chunked\r\n"), 400},
    {"6.1", with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), 400},
    {"6.1", with("Transfer-Encoding:\r\n"), 400},
    {"6.1", head("GET / HTTP/1.0", "Transfer-Encoding: chunked\r\n"), 400},
    {"6.1", with("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), 400},
    {"6.1", with("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), 400},
};

}  // namespace millrace::http::test
