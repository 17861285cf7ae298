#include "tests/unit/conformance/openings.h"

#include <cctype>

#include "engine/http/message.h"

namespace millrace::conformance {
namespace {

std::string named(const std::string& section, std::size_t index) {
    std::string name = section + "_Case" + std::to_string(index);
    for (char& c : name)
        if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
    return name;
}

bool announces_content(const std::string& head) {
    http::Request request;
    return http::parse_request(head, request, {}).complete() &&
           (request.body.framing == http::BodyFraming::kChunked || request.body.length > 0);
}

}  // namespace

std::vector<Opening> request_openings() {
    std::vector<Opening> openings;
    for (const auto& c : http::test::kRequestCases)
        openings.push_back(
            {named(std::string("Rfc9112_") + c.section, openings.size()), c.head,
             c.status == http::test::kAccepted ? OpeningVerdict::kOrdinary : OpeningVerdict::kMalformed,
             c.status, announces_content(c.head)});
    for (const auto& c : ws::test::kJudgeCases) {
        const std::string line = c.request_line;
        if (line.find("/echo") == line.npos) continue;  // served at that path alone
        const auto verdict = c.status == 101                   ? OpeningVerdict::kSwitched
                             : c.status == ws::test::kOrdinary ? OpeningVerdict::kOrdinary
                                                               : OpeningVerdict::kRejected;
        openings.push_back(
            {named(c.rule, openings.size()), ws::test::request_text(line, c.fields), verdict, c.status});
    }
    return openings;
}

}  // namespace millrace::conformance
