#pragma once
// Findings as a person reads them, and as a program does.

#include <string>

#include "engine/doctor/finding.h"

namespace millrace::doctor {

// A line for each, the remedy below it; then how many are good, bad and unknown.
std::string to_text(const Findings& findings);
// {"schema": 1, "good", "bad", "unknown", "findings": [{"check", "health", "found", "remedy"}]}
std::string to_json(const Findings& findings);

std::size_t count(const Findings& findings, Health health);

}  // namespace millrace::doctor
