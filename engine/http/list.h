#pragma once
// Comma-separated lists in field values (RFC 9110 section 5.6.1), for lists whose members are tokens.

#include <string_view>

#include "engine/http/chars.h"

namespace millrace::http {

// Yields the members one by one, without surrounding white space; empty members are skipped, as a recipient
// must (section 5.6.1.2).
class ListReader {
  public:
    explicit ListReader(std::string_view value) : rest_(value) {}

    bool next(std::string_view& member) {
        while (!rest_.empty()) {
            const std::size_t comma = rest_.find(',');
            member = trim(rest_.substr(0, comma));
            rest_ = comma == rest_.npos ? std::string_view{} : rest_.substr(comma + 1);
            if (!member.empty()) return true;
        }
        return false;
    }

  private:
    std::string_view rest_;
};

}  // namespace millrace::http
