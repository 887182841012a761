/// An account for the contract: what a back end brings, and how its checks become a test.
#pragma once

#include <doctest/doctest.h>

#include <fstream>
#include <functional>
#include <set>
#include <sstream>

#include "base/log.h"
#include "contract/contract.h"

namespace calhost::test {

inline std::string text_of_file(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(CALHOST_SOURCE_DIR "/" + path).rdbuf();
    REQUIRE_MESSAGE(!text.str().empty(), path);
    return text.str();
}

/// The provider's own file, or another text of it.
inline plugin::ProviderSource source_of(const std::string& name, std::string code = "") {
    const std::string file = "providers/" + name + "/provider.lua";
    return {name, file, code.empty() ? text_of_file(file) : std::move(code)};
}

/// A provider twice, one of them with small pages, behind one front.
struct Contract {
    /// `section` is the provider's in the YAML.
    Contract(const plugin::ProviderSource& source, plugin::Environment environment,
             plugin::Access& account, std::string calendar_id,
             const boost::json::object& section = {})
        : front(environment.transport),
          access(account, front),
          provider(load(source, environment, section)),
          paging(load(contract::with_small_pages(source), environment, section)),
          subject{*provider, *paging, front, access, environment.clock, std::move(calendar_id),
                  "a1b2"} {}

    contract::FrontTransport front;
    contract::FrontAccess access;
    std::unique_ptr<plugin::Provider> provider;
    std::unique_ptr<plugin::Provider> paging;
    contract::Subject subject;

  private:
    std::unique_ptr<plugin::Provider> load(const plugin::ProviderSource& source,
                                           plugin::Environment environment,
                                           const boost::json::object& section) {
        auto loaded = plugin::Provider::load(
            source, {front, environment.clock, environment.timers, environment.random});
        REQUIRE_MESSAGE(loaded.has_value(), loaded.error().message);
        if (!section.empty()) plugin::apply_section((*loaded)->info(), section, section);
        return std::move(*loaded);
    }
};

using RunCheck = std::function<contract::Finding(const contract::Check&, contract::Subject&)>;

/// Every check by name and finding. A provider's log is not wanted here.
inline std::map<std::string, contract::Finding> findings_of(contract::Subject& subject,
                                                            const RunCheck& run,
                                                            std::string_view only = "") {
    std::map<std::string, contract::Finding> findings;
    log::set_sink([](std::string_view) {});
    for (const auto& check : contract::checks())
        if (check.name.contains(only)) findings[std::string(check.name)] = run(check, subject);
    log::set_sink({});
    return findings;
}

/// All checks hold, and these and no others are not offered.
inline void expect_contract(contract::Subject& subject, const RunCheck& run,
                            const std::set<std::string>& not_offered) {
    for (const auto& [name, finding] : findings_of(subject, run)) {
        CAPTURE(name);
        CAPTURE(finding.why);
        const auto wanted =
            not_offered.contains(name) ? contract::Verdict::not_offered : contract::Verdict::ok;
        CHECK(to_string(finding.verdict) == to_string(wanted));
    }
}

}  // namespace calhost::test
