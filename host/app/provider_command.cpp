#include "app/provider_command.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdio>
#include <map>
#include <ranges>

#include "base/encoding.h"
#include "base/json.h"
#include "contract/contract.h"
#include "storage/users.h"

namespace calhost::app {
namespace {

using boost::json::object;

/// A running host knows those that it started with.
std::unexpected<Error> no_provider(const plugin::Providers& providers, std::string_view name) {
    const auto names = std::views::keys(providers.all());
    return fail(ErrorCode::invalid, fmt::format("There is no provider '{}'; there are: {}.", name,
                                                fmt::join(names.begin(), names.end(), ", ")));
}

std::unexpected<Error> no_account(const CheckQuestion& question) {
    return fail(ErrorCode::invalid,
                fmt::format("There is no connected account '{}'. Name a connection's id, or "
                            "user@example.com/label, and with --data the folder of the host that "
                            "it was connected at.",
                            question.account));
}

/// "user@example.com/label"; without a label, "primary".
Result<std::optional<storage::Connection>> find_by_user(storage::Sql& sql,
                                                        const CheckQuestion& question) {
    const auto slash = question.account.find('/');
    auto user = storage::find_user_by_email(sql, question.account.substr(0, slash));
    if (!user) return fail(user.error());
    if (!*user) return std::nullopt;
    const auto label = slash == std::string::npos ? "primary" : question.account.substr(slash + 1);
    return storage::find_connection(sql, (*user)->id, question.provider, label);
}

/// The provider as its file says now; with small pages where that is asked for.
Result<plugin::Providers> load_anew(const HostOptions& options, plugin::Environment environment,
                                    bool has_small_pages) {
    auto installed = plugin::discover(options.settings, environment.clock);
    if (has_small_pages)
        for (auto& entry : installed.providers)
            entry.source = contract::with_small_pages(std::move(entry.source));
    return plugin::Providers::load(installed, environment);
}

object row_of(const contract::Check& check, const contract::Finding& finding) {
    return {{"name", check.name},
            {"verdict", contract::to_string(finding.verdict)},
            {"why", finding.why}};
}

}  // namespace

object CheckQuestion::to_json() const {
    return {{"command", "provider.check"},
            {"provider", provider},
            {"account", account},
            {"only", only}};
}

CheckQuestion CheckQuestion::from_json(const object& members) {
    return {.provider = std::string(json::text_of(members, "provider")),
            .account = std::string(json::text_of(members, "account")),
            .only = std::string(json::text_of(members, "only"))};
}

Result<storage::Connection> find_account(connect::Services& services,
                                         const CheckQuestion& question) {
    if (services.providers.find(question.provider) == nullptr)
        return no_provider(services.providers, question.provider);
    auto& sql = services.database.reader();
    auto found = storage::find_connection_for_job(sql, question.account);
    if (found && !*found) found = find_by_user(sql, question);
    if (!found) return fail(found.error());
    if (!*found) return no_account(question);
    if ((*found)->provider != question.provider)
        return fail(ErrorCode::invalid, fmt::format("The account is one of {}, not of {}.",
                                                    (*found)->provider, question.provider));
    return std::move(**found);
}

Task<Result<object>> check_provider(const HostOptions& options, connect::Services& services,
                                    connect::TokenKeeper& keeper, storage::Connection connection,
                                    CheckQuestion question) {
    contract::FrontTransport front(services.transport);
    contract::FrontTimers timers(services.timers, front);
    const plugin::Environment environment{front, services.clock, timers, services.random};
    auto plain = load_anew(options, environment, false);
    if (!plain) co_return fail(plain.error());
    auto paging = load_anew(options, environment, true);
    if (!paging) co_return fail(paging.error());
    auto* provider = plain->find(connection.provider);
    auto* pages = paging->find(connection.provider);
    if (provider == nullptr || pages == nullptr)
        co_return fail(ErrorCode::misconfigured, "The provider is not installed any more.");
    connect::ConnectionAccess account(keeper, connection);
    contract::FrontAccess access(account, front);
    contract::Subject subject{*provider,
                              *pages,
                              front,
                              access,
                              services.clock,
                              connection.calendar_id,
                              hex_encode(random_bytes(services.random, 4))};
    object answer{{"title", provider->info().title},
                  {"account", connection.email},
                  {"calendar", connection.calendar_id},
                  {"can", provider->info().can},
                  {"checks", boost::json::array{}}};
    for (const auto& check : contract::checks())
        if (check.name.contains(question.only))
            answer["checks"].as_array().push_back(
                row_of(check, co_await contract::run_check(check, subject)));
    if (answer["checks"].as_array().empty())
        co_return fail(ErrorCode::invalid,
                       fmt::format("No check has '{}' in its name.", question.only));
    co_return answer;
}

int print_checks(const object& answer) {
    int failures = 0;
    fmt::print("{} as {}, calendar {}\n", json::text_of(answer, "title"),
               json::text_of(answer, "account"), json::text_of(answer, "calendar"));
    // A script's table has no order.
    std::map<std::string_view, std::string> can;
    for (const auto& member : answer.at("can").as_object())
        can[member.key()] = boost::json::serialize(member.value());
    for (const auto& [name, value] : can) fmt::print("  {:<20} {}\n", name, value);
    for (const auto& row : answer.at("checks").as_array()) {
        const auto verdict = json::text_of(row, "verdict");
        const auto why = json::text_of(row, "why");
        fmt::print("{:<12} {}\n", verdict, json::text_of(row, "name"));
        if (!why.empty()) fmt::print("{:<12}   {}\n", "", why);
        if (verdict == "failed") ++failures;
    }
    fmt::print("{} of {} checks failed.\n", failures, answer.at("checks").as_array().size());
    return failures == 0 ? 0 : 1;
}

}  // namespace calhost::app
