#include "engine/doctor/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace millrace::doctor {
namespace {

const char* word_for(Health health) {
    switch (health) {
        case Health::kGood:
            return "good";
        case Health::kBad:
            return "bad";
        case Health::kUnknown:
            break;
    }
    return "unknown";
}

}  // namespace

std::size_t count(const Findings& findings, Health health) {
    return static_cast<std::size_t>(
        std::count_if(findings.begin(), findings.end(),
                      [health](const Finding& finding) { return finding.health == health; }));
}

std::string to_text(const Findings& findings) {
    std::size_t width = 0;
    for (const Finding& finding : findings)
        width = std::max(width, finding.check.size());
    std::string text;
    for (const Finding& finding : findings) {
        text +=
            fmt::format("{:<8} {:<{}}  {}\n", word_for(finding.health), finding.check, width, finding.found);
        if (!finding.remedy.empty())
            text += fmt::format("{:>{}}{}\n", "-> ", 8 + 1 + width + 2 + 3, finding.remedy);
    }
    return text + fmt::format("\n{} good, {} bad, {} unknown\n", count(findings, Health::kGood),
                              count(findings, Health::kBad), count(findings, Health::kUnknown));
}

std::string to_json(const Findings& findings) {
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (const Finding& finding : findings)
        list.push_back({{"check", finding.check},
                        {"health", word_for(finding.health)},
                        {"found", finding.found},
                        {"remedy", finding.remedy}});
    const nlohmann::ordered_json all{{"schema", 1},
                                     {"good", count(findings, Health::kGood)},
                                     {"bad", count(findings, Health::kBad)},
                                     {"unknown", count(findings, Health::kUnknown)},
                                     {"findings", list}};
    return all.dump(2) + "\n";
}

}  // namespace millrace::doctor
