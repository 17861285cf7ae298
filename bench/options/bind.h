#pragma once
// Binds a command's option to one of the strict parsers (engine/options/units.h, cores.h): what it cannot
// read is reported with the parser's own sentence.

#include <CLI/CLI.hpp>
#include <string>
#include <string_view>

#include "netstack/base/error.h"

namespace millrace::bench {

template <class T, class Target>
CLI::Option* bind_option(CLI::App& command, const std::string& name, Target& target,
                         Expected<T> (*parse)(std::string_view), const std::string& help) {
    const auto take = [&target, parse, name = name.substr(name.find("--"))](const std::string& text) {
        auto value = parse(text);
        if (!value) throw CLI::ValidationError(name, value.error().message);
        target = *value;
    };
    return command.add_option_function<std::string>(name, take, help);
}

}  // namespace millrace::bench
