#include "engine/http/exchange.h"

namespace millrace::http {

bool keeps_alive(const Request& request) {
    if (request.fields.has_token("connection", "close")) return false;
    return request.minor_version > 0 || request.fields.has_token("connection", "keep-alive");
}

bool carries_content(std::string_view method, int status) {
    return method != "HEAD" && status >= 200 && status != 204 && status != 304;
}

}  // namespace millrace::http
