#pragma once
// The tables of requests (request_cases.h, judge_cases.h) as what a whole server answers to them.

#include <string>
#include <vector>

#include "tests/unit/handshake/judge_cases.h"
#include "tests/unit/handshake/response_cases.h"
#include "tests/unit/http/request_cases.h"

namespace millrace::conformance {

enum class OpeningVerdict {
    kSwitched,   // 101
    kRejected,   // a request, but no opening that can be taken: `status`
    kMalformed,  // no request: `status`, and the connection ends
    kOrdinary,   // a request of ordinary HTTP: answered as one
};

struct Opening {
    std::string name;
    std::string head;
    OpeningVerdict verdict;
    int status = 0;
    bool awaits_body = false;  // the head announces content that does not come
};

std::vector<Opening> request_openings();

}  // namespace millrace::conformance
