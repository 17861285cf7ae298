#include "engine/http/writer.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "engine/http/chars.h"
#include "engine/http/exchange.h"
#include "engine/http/scan.h"

namespace millrace::http {
namespace {

bool is_value(std::string_view text) {
    return skip_value(text.data(), text.data() + text.size()) == text.data() + text.size();
}

std::string_view decimal(std::uint64_t value, std::span<char, 20> out) {
    const auto end = std::to_chars(out.data(), out.data() + out.size(), value).ptr;
    return {out.data(), static_cast<std::size_t>(end - out.data())};
}

}  // namespace

void HeadWriter::text(std::string_view text) {
    if (text.size() > out_.size() - used_) {
        failed_ = true;
        return;
    }
    std::copy(text.begin(), text.end(), out_.begin() + static_cast<std::ptrdiff_t>(used_));
    used_ += text.size();
}

void HeadWriter::field(std::string_view name, std::string_view value) {
    if (!is_token(name) || !is_value(value)) failed_ = true;
    text(name);
    text(": ");
    text(value);
    text("\r\n");
}

void HeadWriter::field(std::string_view name, std::uint64_t value) {
    char digits[20];
    field(name, decimal(value, digits));
}

void HeadWriter::parameter(std::string_view name, std::uint64_t value) {
    char digits[20];
    text("; ");
    text(name);
    text("=");
    text(decimal(value, digits));
}

void HeadWriter::status_line(int status) {
    char digits[20];
    if (status < 100 || status > 599) failed_ = true;
    text("HTTP/1.1 ");
    text(decimal(static_cast<std::uint64_t>(status), digits));
    text(" ");
    text(reason_phrase(status));
    text("\r\n");
}

std::size_t HeadWriter::finish() {
    text("\r\n");
    return failed_ ? 0 : used_;
}

std::string_view reason_phrase(int status) {
    switch (status) {
        case 100:
            return "Continue";
        case 101:
            return "Switching Protocols";
        case 200:
            return "OK";
        case 204:
            return "No Content";
        case 206:
            return "Partial Content";
        case 301:
            return "Moved Permanently";
        case 302:
            return "Found";
        case 303:
            return "See Other";
        case 304:
            return "Not Modified";
        case 307:
            return "Temporary Redirect";
        case 308:
            return "Permanent Redirect";
        case 400:
            return "Bad Request";
        case 401:
            return "Unauthorized";
        case 403:
            return "Forbidden";
        case 404:
            return "Not Found";
        case 405:
            return "Method Not Allowed";
        case 408:
            return "Request Timeout";
        case 413:
            return "Content Too Large";
        case 414:
            return "URI Too Long";
        case 417:
            return "Expectation Failed";
        case 426:
            return "Upgrade Required";
        case 429:
            return "Too Many Requests";
        case 431:
            return "Request Header Fields Too Large";
        case 500:
            return "Internal Server Error";
        case 501:
            return "Not Implemented";
        case 502:
            return "Bad Gateway";
        case 503:
            return "Service Unavailable";
        case 504:
            return "Gateway Timeout";
        case 505:
            return "HTTP Version Not Supported";
        default:
            return "";
    }
}

std::size_t write_response(std::span<char> out, const ResponseHead& head) {
    HeadWriter writer(out);
    writer.status_line(head.status);
    if (!head.date.empty()) writer.field("Date", head.date);
    if (!head.content_type.empty()) writer.field("Content-Type", head.content_type);
    if (carries_content("GET", head.status)) writer.field("Content-Length", head.content_length);
    if (!head.keep_alive)
        writer.text("Connection: close\r\n");
    else if (head.minor_version == 0)
        writer.text("Connection: keep-alive\r\n");
    for (const Field& field : head.extra)
        writer.field(field.name, field.value);
    return writer.finish();
}

}  // namespace millrace::http
