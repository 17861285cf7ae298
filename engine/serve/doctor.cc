#include "engine/serve/doctor.h"

#include <cstdio>
#include <fstream>
#include <thread>

#include "engine/doctor/examine.h"
#include "engine/doctor/report.h"
#include "engine/run/ground_words.h"
#include "engine/run/server.h"

namespace millrace {
namespace {

constexpr Duration kWatched = 500ms;  // for time that the host takes

struct Asked {
    std::vector<unsigned> cores{0};
    std::string json;
};

Expected<Asked> parse(int argc, const char* const* argv) {
    Asked asked;
    CLI::App app{"What on this machine stands in the way of speed, each finding with its remedy",
                 "millrace doctor"};
    app.add_option("--cores", asked.cores, "the CPUs that would poll, 0,1")
        ->delimiter(',')
        ->capture_default_str();
    app.add_option("--json", asked.json,
                   "write the findings here as well; - is standard output, for them alone");
    app.footer(
        "Exit status: 0 when nothing bad was found, 1 when something was, 2 when it could not be told.");
    if (auto parsed = parse_words(app, argc, argv); !parsed) return tl::unexpected(parsed.error());
    return asked;
}

}  // namespace

int doctor_command(int argc, const char* const* argv) {
    const auto asked = parse(argc, argv);
    if (!asked) return say_error(asked.error());
    const doctor::MachineFiles files;
    doctor::Subject subject{.cores = asked->cores,
                            .before = doctor::cpu_times(files, asked->cores),
                            .features_of = doctor::nic_features};
    std::this_thread::sleep_for(kWatched);
    const doctor::Findings findings = doctor::examine(files, subject);
    if (asked->json != "-") std::fputs(doctor::to_text(findings).c_str(), stdout);
    if (asked->json == "-") {
        std::fputs(doctor::to_json(findings).c_str(), stdout);
    } else if (!asked->json.empty()) {
        std::ofstream file(asked->json);
        if (!(file << doctor::to_json(findings)).flush())
            return say_error({"cannot write " + asked->json + ": choose another file for --json"});
    }
    return doctor::count(findings, doctor::Health::kBad) == 0 ? 0 : 1;
}

}  // namespace millrace
