#pragma once
// What `millrace doctor` says of one thing on this machine.

#include <string>
#include <vector>

namespace millrace::doctor {

enum class Health { kGood, kBad, kUnknown };

struct Finding {
    std::string check;   // what was looked at, in a word or two
    Health health;       // kUnknown: it cannot be seen from here
    std::string found;   // what is so
    std::string remedy;  // the command that mends it, or what to do; empty where nothing is to be done
};

using Findings = std::vector<Finding>;

}  // namespace millrace::doctor
