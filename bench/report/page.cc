#include "bench/report/page.h"

#include <fmt/format.h>

#include "bench/report/charts.h"
#include "bench/report/svg.h"
#include "bench/report/text.h"
#include "bench/timing/poll_meter.h"
#include "engine/options/units.h"

namespace millrace::bench {

namespace {

using Json = nlohmann::json;

constexpr std::string_view kHead = R"(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>Millrace: latency</title><link rel="icon" href="data:,"><style>
:root{color-scheme:light dark;--ink:#1a1d21;--soft:#5b6470;--paper:#fff;--rule:#dfe3e8;--bad:#b3261e;--good:#146c2e;
--c0:#0b57d0;--c1:#c2410c;--c2:#15803d;--c3:#7e22ce;--c4:#0e7490;--c5:#a16207}
@media (prefers-color-scheme:dark){:root{--ink:#e8eaed;--soft:#9aa4b0;--paper:#15181c;--rule:#343a42;--bad:#ff8a80;
--good:#7bd88f;--c0:#8ab4f8;--c1:#fdab6b;--c2:#7bd88f;--c3:#d0a6ff;--c4:#67d3e8;--c5:#e6c15a}}
*{box-sizing:border-box}body{margin:0 auto;padding:16px;max-width:1240px;background:var(--paper);color:var(--ink);
font:15px/1.5 system-ui,sans-serif}h1{font-size:1.5rem;margin:.2em 0}h2{font-size:1.1rem;margin:1.2em 0 .3em}
p{margin:.3em 0}.soft{color:var(--soft)}.bad,.slower{color:var(--bad)}.good,.faster{color:var(--good)}
.charts{display:grid;gap:8px 24px;grid-template-columns:repeat(auto-fit,minmax(min(100%,460px),1fr))}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%}th,td{padding:3px 10px 3px 0;text-align:right;
border-bottom:1px solid var(--rule);white-space:nowrap;font-variant-numeric:tabular-nums}
th:first-child,td:first-child{text-align:left;white-space:normal;min-width:8em;overflow-wrap:anywhere}th{white-space:normal;overflow-wrap:anywhere}th{font-weight:600;color:var(--soft)}
.facts td{white-space:normal;text-align:left;overflow-wrap:anywhere;vertical-align:top}.facts td:first-child{width:9em;color:var(--soft)}
pre{white-space:pre-wrap;overflow-wrap:anywhere;border:1px solid var(--rule);padding:8px;margin:.3em 0}
svg{display:block;width:100%;height:auto}svg text{font:12px system-ui,sans-serif;fill:var(--soft)}
.key{display:inline-block;width:1.6em;border-top:3px solid;vertical-align:middle;margin-right:.4em}.key.dashed{border-top-style:dashed}
.legend span.one{margin-right:1.2em;overflow-wrap:anywhere}.grid{stroke:var(--rule)}.axis{stroke:var(--soft)}
.line{fill:none;stroke-width:2}.dashed{stroke-dasharray:5 4;stroke-width:1.5}.heat{fill:var(--c0)}.gap{fill:var(--bad)}
.c0{stroke:var(--c0);border-color:var(--c0)}.c1{stroke:var(--c1);border-color:var(--c1)}.c2{stroke:var(--c2);border-color:var(--c2)}
.c3{stroke:var(--c3);border-color:var(--c3)}.c4{stroke:var(--c4);border-color:var(--c4)}.c5{stroke:var(--c5);border-color:var(--c5)}
.dot{fill:var(--paper);stroke-width:2}@media print{body{max-width:none}.charts{display:block}svg{break-inside:avoid}}
</style></head><body>
)";

class Page {
  public:
    Page() : html_(kHead) {}

    template <class... Args>
    void add(fmt::format_string<Args...> format, Args&&... args) {
        html_ += fmt::format(format, std::forward<Args>(args)...);
    }
    void raw(std::string_view html) { html_ += html; }
    std::string done() { return std::move(html_) + "</body></html>\n"; }

  private:
    std::string html_;
};

std::string time(double ns) {
    return format_duration(Duration(static_cast<std::int64_t>(ns)));
}

void add_verdict(Page& page, const std::vector<Contender>& contenders,
                 const std::vector<std::vector<QuantileComparison>>& compared) {
    for (std::size_t i = 0; i < compared.size(); ++i)
        page.add("<p><strong>{}</strong></p>\n",
                 escaped(headline(contenders[0], contenders[i + 1], compared[i])));
    for (const Contender& contender : contenders) {
        const auto reasons = contender.invalid_because();
        if (reasons.empty()) page.add("<p class=\"good\">{}: valid</p>\n", escaped(contender.name));
        for (const std::string& reason : reasons)
            page.add("<p class=\"bad\">{}: INVALID: {}</p>\n", escaped(contender.name), escaped(reason));
    }
}

void add_comparison(Page& page, const Contender& a, const Contender& b,
                    const std::vector<QuantileComparison>& compared) {
    page.add(
        "<h2>{} against {}</h2>\n<div class=\"scroll\"><table><tr><th>percentile</th><th>{}</th><th>{}</th>"
        "<th>ratio</th><th>95 % of it</th><th>verdict</th></tr>\n",
        escaped(b.name), escaped(a.name), escaped(a.name), escaped(b.name));
    for (const QuantileComparison& one : compared)
        page.add(
            "<tr><td>{:.6g}</td><td>{}</td><td>{}</td><td>{:.3f}</td><td>{:.3f} - {:.3f}</td>"
            "<td class=\"{}\">{}</td></tr>\n",
            one.percentile, time(one.a_ns), time(one.b_ns), one.ratio, one.ratio_interval.low,
            one.ratio_interval.high, one.verdict == Verdict::kNoDifference ? "soft" : name_of(one.verdict),
            name_of(one.verdict));
    page.add("</table></div>\n<p class=\"soft\">{}</p>\n", escaped(how_compared(a, b)));
}

Histogram service_of(const Contender& contender) {
    Histogram all;
    for (const Recorded& run : contender.runs)
        if (run.latency().value("requested_per_s", 0.0) > 0)
            if (auto one = histogram_of(run.latency().at("histograms").at("service"))) all.merge(*one);
    return all;
}

void add_quantiles(Page& page, const std::vector<Curve>& curves) {
    page.raw(
        "<h2>Latency</h2>\n<div "
        "class=\"scroll\"><table><tr><th></th><th>messages</th><th>min</th><th>p50</th>"
        "<th>p90</th><th>p99</th><th>p99.9</th><th>p99.99</th><th>max</th></tr>\n");
    const auto row = [&page](const std::string& name, const Histogram& h) {
        page.add("<tr><td>{}</td><td>{}</td><td>{}</td>", escaped(name), h.count(),
                 time(static_cast<double>(h.min())));
        for (const double p : {50.0, 90.0, 99.0, 99.9, 99.99})
            page.add("<td>{}</td>", time(static_cast<double>(h.percentile(p))));
        page.add("<td>{}</td></tr>\n", time(static_cast<double>(h.max())));
    };
    for (const Curve& curve : curves) {
        const bool open_loop = curve.service.count() != 0;
        row(curve.name + (open_loop ? ", from when it was due" : ", one at a time"), curve.rtt);
        if (open_loop) row(curve.name + ", from when it was sent", curve.service);
    }
    page.raw("</table></div>\n");
}

void add_legend(Page& page, const std::vector<Curve>& curves) {
    page.raw("<p class=\"legend\">");
    for (std::size_t i = 0; i < curves.size(); ++i) {
        page.add("<span class=\"one\"><span class=\"key c{}\"></span>{}</span>", i % 6,
                 escaped(curves[i].name));
        if (curves[i].service.count() != 0)
            page.add("<span class=\"one\"><span class=\"key dashed c{}\"></span>from when it was sent</span>",
                     i % 6);
    }
    page.raw("</p>\n");
}

void add_charts(Page& page, const std::vector<Contender>& contenders, const std::vector<Curve>& curves) {
    std::vector<const Json*> latencies;
    std::vector<std::string> names;
    for (const Contender& contender : contenders) {
        latencies.push_back(&contender.runs.front().latency());
        names.push_back(contender.name);
    }
    page.raw("<div class=\"charts\"><section><h2>Latency by percentile</h2>\n");
    page.raw(percentile_chart(curves));
    page.raw("</section><section><h2>Messages a second</h2>\n");
    page.raw(throughput_chart(latencies, names));
    page.raw("</section>\n");
    for (std::size_t i = 0; i < contenders.size(); ++i) {
        page.add("<section><h2>Latency over time: {}{}</h2>\n", escaped(names[i]),
                 contenders[i].runs.size() > 1 ? ", first run" : "");
        page.raw(heat_chart(*latencies[i], "Latency over time: " + names[i]));
        page.raw("</section>\n");
    }
    page.raw("</div>\n");
}

// As a shell takes it.
std::string command_of(const Json& argv) {
    std::string text;
    for (const Json& word : argv) {
        const auto plain = word.get<std::string>();
        const bool quoted = plain.find_first_of(" '\"&?*$<>|;()") != plain.npos;
        text += (text.empty() ? "" : " ") + (quoted ? "'" + plain + "'" : plain);
    }
    return text;
}

void add_facts(Page& page, const Contender& contender) {
    const Json& result = contender.runs.front().result;
    const Json& latency = contender.runs.front().latency();
    page.add("<h2>How it was measured: {}</h2>\n<table class=\"facts\">\n", escaped(contender.name));
    const auto fact = [&page](std::string_view name, const std::string& value) {
        if (!value.empty()) page.add("<tr><td>{}</td><td>{}</td></tr>\n", name, escaped(value));
    };
    fact("runs", std::to_string(contender.runs.size()));
    fact("mode", latency.value("mode", ""));
    fact("connections", std::to_string(latency.value("connections", 0)));
    fact("messages",
         fmt::format("{} B, {} sent, {} lost, {} segments sent again", latency.value("payload_bytes", 0),
                     latency.value("sent", 0), latency.value("lost", 0), latency.value("retransmits", 0)));
    if (latency.value("requested_per_s", 0.0) > 0)
        fact("rate", fmt::format("{} a second asked for, {} answered",
                                 format_count(latency.value("requested_per_s", 0.0)),
                                 format_count(latency.value("rate_per_s", 0.0))));
    if (latency.value("requested_per_s", 0.0) > 0)
        fact("send lag", "p99 " + time(latency.at("send_lag_ns").value("p99", 0.0)));
    for (const Json& core : latency.at("cores"))
        fact(fmt::format("core {}", core.value("core", 0)),
             fmt::format("idle {:.0f} % of the time; {} gaps over {}", 100 * core.value("idle", 0.0),
                         core.value("gaps", 0), format_duration(PollMeter::kGap)));
    const Json environment = result.value("environment", Json::object());
    for (const char* key : {"cpu", "kernel", "dpdk", "carrier", "hugepages", "commit"})
        fact(key, environment.value(key, ""));
    if (result.contains("clock"))
        fact("clock",
             fmt::format("TSC, {}, {:+.2f} ppm against the kernel's",
                         result["clock"].value("tsc_invariant", false) ? "invariant" : "NOT invariant",
                         result["clock"].value("drift_ppm", 0.0)));
    page.add("</table>\n<pre>{}</pre>\n", escaped(command_of(environment.value("argv", Json::array()))));
}

}  // namespace

std::string page(const std::vector<Contender>& contenders,
                 const std::vector<std::vector<QuantileComparison>>& compared) {
    Page page;
    page.raw("<h1>Latency</h1>\n");
    add_verdict(page, contenders, compared);
    for (std::size_t i = 0; i < compared.size(); ++i)
        add_comparison(page, contenders[0], contenders[i + 1], compared[i]);
    std::vector<Curve> curves;
    for (const Contender& contender : contenders)
        curves.push_back({contender.name, merged(contender.sample()), service_of(contender)});
    add_quantiles(page, curves);
    add_legend(page, curves);
    add_charts(page, contenders, curves);
    for (const Contender& contender : contenders)
        add_facts(page, contender);
    return page.done();
}

}  // namespace millrace::bench
