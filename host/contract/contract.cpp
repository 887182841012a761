#include "contract/contract.h"

#include <algorithm>
#include <iterator>

#include "contract/steps.h"

namespace calhost::contract {
namespace {

/// Where the script broke: callers are told only that it did.
std::string take_fault(Subject& subject) {
    auto plain = subject.provider.take_fault();
    auto paging = subject.paging.take_fault();
    return plain.empty() ? paging : plain;
}

}  // namespace

plugin::ProviderSource with_small_pages(plugin::ProviderSource source) {
    // The table is the last thing that the script returns.
    const auto last = source.code.rfind("\nreturn ");
    if (last == std::string::npos) return source;
    const auto end = source.code.find('\n', last + 1);
    const auto table = source.code.substr(last + 8, end - last - 8);
    source.code.resize(last);
    source.code += fmt::format("\n{0}.can = {0}.can or {{}}\n{0}.can.max_page = {1}\nreturn {0}\n",
                               table, kSmallPage);
    return source;
}

const std::vector<Check>& checks() {
    static const std::vector<Check> all = [] {
        std::vector<Check> list;
        for (const auto group : {account_checks, write_checks, field_checks, feed_checks,
                                 series_checks, day_checks, busy_checks, fault_checks})
            std::ranges::move(group(), std::back_inserter(list));
        return list;
    }();
    return all;
}

Task<Finding> run_check(const Check& check, Subject& subject) {
    take_fault(subject);  // of what was before
    auto finding = co_await check.run(subject);
    subject.front.be_quiet();
    const auto fault = take_fault(subject);
    if (finding.verdict == Verdict::failed && !finding.why.contains(fault))
        finding.why += fmt::format(" ({})", fault);
    for (const auto& id : subject.made) {
        auto deleted =
            co_await subject.provider.delete_event(subject.access, subject.calendar_id, id, "");
        if (!deleted && finding.verdict == Verdict::ok)
            finding = wrong("the event {} stays in the calendar: {}", id, deleted.error().message);
    }
    subject.made.clear();
    co_return finding;
}

std::string_view to_string(Verdict verdict) {
    switch (verdict) {
        case Verdict::ok:
            return "ok";
        case Verdict::failed:
            return "failed";
        case Verdict::not_offered:
            return "not offered";
    }
    return "";
}

}  // namespace calhost::contract
