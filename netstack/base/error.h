#pragma once
// Set-up errors are values that carry one clear sentence and the remedy (house rule "errors are values").
// Hot paths use enums instead.

#include <string>
#include <tl/expected.hpp>  // std::expected with GCC 12 and Clang 14 both; libexpected-dev
#include <utility>

namespace millrace {

struct Error {
    std::string message;  // one sentence: what is wrong and what to do about it
};

template <class T>
using Expected = tl::expected<T, Error>;

inline tl::unexpected<Error> fail(std::string message) {
    return tl::unexpected<Error>(Error{std::move(message)});
}

}  // namespace millrace
