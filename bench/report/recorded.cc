#include "bench/report/recorded.h"

#include <algorithm>
#include <fstream>
#include <iterator>

namespace millrace::bench {

namespace {

using Json = nlohmann::json;

Recorded recorded(const Json& result) {
    Recorded run{.result = result, .parts = {}};
    for (const Json& part : run.latency().at("histograms").at("rtt_parts")) {
        auto histogram = histogram_of(part);
        if (!histogram) throw Json::other_error::create(501, histogram.error().message, nullptr);
        run.parts.push_back(std::move(*histogram));
    }
    return run;
}

std::string name_of(const Recorded& run) {
    const std::string url = run.latency().value("url", "");
    return url.empty() ? run.result.value("program", "") : url;
}

}  // namespace

Expected<Histogram> histogram_of(const Json& json) {
    std::vector<std::uint64_t> packed;
    for (const char* key : {"sum", "min", "max", "clamped"})
        packed.push_back(json.at(key).get<std::uint64_t>());
    // An empty one says that its least value is 0, and is not to bring that into a sum.
    if (json.at("buckets").empty()) return Histogram();
    for (const Json& bucket : json.at("buckets")) {
        const auto end = bucket.at(0).get<std::uint64_t>();
        packed.push_back(Histogram::bucket_of(std::min(end, Histogram::kHighest)));
        packed.push_back(bucket.at(1).get<std::uint64_t>());
    }
    Histogram histogram;
    if (!histogram.merge_packed(packed)) return fail("has a histogram that is none");
    return histogram;
}

Sample Contender::sample() const {
    Sample sample;
    for (const Recorded& run : runs)
        sample.push_back(run.parts);
    return sample;
}

std::vector<std::string> Contender::invalid_because() const {
    std::vector<std::string> reasons;
    for (const Recorded& run : runs)
        for (const Json& reason : run.result.value("invalid_because", Json::array()))
            reasons.push_back(reason.get<std::string>());
    return reasons;
}

Expected<std::vector<Contender>> read_contenders(const std::string& text, const std::string& name) {
    std::vector<Contender> contenders;
    try {
        const Json file = Json::parse(text);
        const Json runs = file.contains("runs") ? file.at("runs") : Json::array({file});
        for (const Json& result : runs) {
            Recorded run = recorded(result);
            const std::string who = name_of(run);
            auto place = std::find_if(contenders.begin(), contenders.end(),
                                      [&who](const Contender& c) { return c.name == who; });
            if (place == contenders.end()) place = contenders.insert(place, {.name = who, .runs = {}});
            place->runs.push_back(std::move(run));
        }
    } catch (const Json::exception&) {
        return fail(name +
                    " is no result file with a latency stage in it: make one with millrace-bench "
                    "latency URL --json FILE");
    }
    if (contenders.empty()) return fail(name + " has no runs in it");
    return contenders;
}

Expected<std::vector<Contender>> read_files(const std::vector<std::string>& paths) {
    std::vector<Contender> all;
    for (const std::string& path : paths) {
        std::ifstream file(path, std::ios::binary);
        const std::string text{std::istreambuf_iterator<char>(file), {}};
        if (!file) return fail("cannot read " + path + ": give the name of a result file that is there");
        auto contenders = read_contenders(text, path);
        if (!contenders) return contenders;
        const bool several = contenders->size() > 1;
        for (Contender& contender : *contenders) {
            if (paths.size() > 1) contender.name = several ? path + ": " + contender.name : path;
            all.push_back(std::move(contender));
        }
    }
    return all;
}

}  // namespace millrace::bench
