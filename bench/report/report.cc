#include "bench/report/report.h"

#include <CLI/CLI.hpp>
#include <cstdio>

#include "bench/report/comparison.h"
#include "bench/report/page.h"
#include "bench/report/text.h"
#include "bench/result/outcome.h"
#include "bench/result/result_file.h"
#include "engine/run/ground_words.h"

namespace millrace::bench {

int show_report(const std::vector<Contender>& contenders, const std::optional<std::string>& html,
                std::FILE* out) {
    std::vector<std::vector<QuantileComparison>> compared;
    const Sample first = contenders.front().sample();
    for (std::size_t i = 1; i < contenders.size(); ++i) {
        compared.push_back(compare(first, contenders[i].sample()));
        std::fputs(comparison_table(contenders.front(), contenders[i], compared.back()).c_str(), out);
    }
    bool valid = true;
    for (const Contender& contender : contenders)
        for (const std::string& reason : contender.invalid_because()) {
            std::fprintf(out, "  INVALID: %s: %s\n", contender.name.c_str(), reason.c_str());
            valid = false;
        }
    if (html)
        if (const auto written = write_text(page(contenders, compared), *html); !written)
            return complain("millrace-bench", written.error().message);
    return valid ? kValid : kInvalid;
}

int report_command(int argc, const char* const* argv) {
    std::vector<std::string> files;
    std::optional<std::string> html;
    CLI::App app{"Result files of latency runs, compared with the first of them", "millrace-bench report"};
    app.add_option("files", files, "written by millrace-bench latency --json FILE")->required();
    app.add_option("--html", html,
                   "write a page with charts here, which needs nothing else; - is standard output");
    if (auto parsed = parse_words(app, argc, argv); !parsed)
        return complain("millrace-bench", parsed.error().message);
    const auto contenders = read_files(files);
    if (!contenders) return complain("millrace-bench", contenders.error().message);
    if (contenders->size() == 1 && !html)
        return complain("millrace-bench",
                        "one run cannot be compared: name two files or more, or give --html FILE");
    return show_report(*contenders, html, html == "-" ? stderr : stdout);
}

}  // namespace millrace::bench
