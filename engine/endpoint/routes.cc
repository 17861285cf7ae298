#include "engine/endpoint/routes.h"

#include <fmt/format.h>

#include <cstdint>

namespace millrace {
namespace {

// FNV-1a: tells one content from another, and is no secret.
std::uint64_t hash_of(std::string_view bytes) {
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const char byte : bytes)
        hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
    return hash;
}

}  // namespace

Page page(std::string path, std::string content_type, std::string body) {
    Page page{.path = std::move(path), .content_type = std::move(content_type)};
    page.etag = fmt::format("\"{:016x}\"", hash_of(body));
    page.body = std::make_shared<const std::string>(std::move(body));
    return page;
}

Page page(std::string path, std::string content_type, std::function<std::string_view(Time)> make) {
    return {.path = std::move(path), .content_type = std::move(content_type), .make = std::move(make)};
}

Page redirection(std::string path, std::string location) {
    return {.path = std::move(path), .location = std::move(location)};
}

Page guarded(Page page) {
    page.guarded = true;
    return page;
}

}  // namespace millrace
