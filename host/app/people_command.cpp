#include "app/people_command.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdio>

#include "accounts/applications.h"
#include "base/json.h"
#include "connect/jobs.h"
#include "storage/audit.h"

namespace calhost::app {
namespace {

using Answer = Result<json::object>;
constexpr int kBatch = 200;
constexpr std::size_t kMostLines = 400;  // for the socket's line

json::object lines(std::vector<std::string> texts) {
    if (texts.size() > kMostLines) {
        texts.resize(kMostLines);
        texts.emplace_back("There are more; GET /api/admin shows all.");
    }
    return {{"lines", json::array(texts.begin(), texts.end())}};
}

accounts::Applications applications_of(connect::Services& services) {
    return {services.database, services.keys, services.clock, services.random};
}

accounts::ApplicationPlan plan_of(const PeopleQuestion& question) {
    return {question.name, question.scopes, question.providers};
}

const accounts::Actor kOperator{"operator"};

Result<storage::Application> find_application(connect::Services& services,
                                              const std::string& name) {
    auto row = storage::find_application_by_name(services.database.reader(), name);
    if (!row) return fail(std::move(row.error()));
    if (!*row)
        return fail(ErrorCode::not_found,
                    fmt::format("There is no application {}. See `calhost app list`.", name));
    return std::move(**row);
}

Result<storage::User> find_user(connect::Services& services, const std::string& email) {
    auto row = storage::find_user_by_email(services.database.reader(), email);
    if (!row) return fail(std::move(row.error()));
    if (!*row)
        return fail(ErrorCode::not_found,
                    "Nobody has an account with this address. See `calhost user list`.");
    return std::move(**row);
}

std::string words(const std::vector<std::string>& list, std::string_view none) {
    return list.empty() ? std::string(none) : fmt::format("{}", fmt::join(list, ","));
}

std::string key_line(const storage::ApiKey& key) {
    return fmt::format("  key {}  {}  providers: {}  made {}", key.id, words(key.scopes, "-"),
                       words(key.providers, "all"), format_rfc3339(key.created_at));
}

std::string user_line(const storage::User& user) {
    return fmt::format("{}  {:<10} {:<12} {}", user.id, user.role.empty() ? "-" : user.role,
                       user.is_email_verified ? "verified" : "not verified", user.email);
}

Task<Answer> add(connect::Services& services, PeopleQuestion question) {
    auto made = co_await applications_of(services).add(plan_of(question), kOperator);
    if (!made) co_return fail(std::move(made.error()));
    co_return lines({fmt::format("The application {} has the id {}. This is its key; it cannot be "
                                 "shown again:",
                                 made->application.name, made->application.id),
                     std::string(made->key.secret.expose())});
}

Task<Answer> list(connect::Services& services, PeopleQuestion /*question*/) {
    auto& sql = services.database.reader();
    auto rows = storage::list_applications(sql, "", kBatch);
    if (!rows) co_return fail(std::move(rows.error()));
    std::vector<std::string> texts;
    for (const auto& row : *rows) {
        texts.push_back(fmt::format("{}  {}  webhook secret: {}", row.name, row.id,
                                    row.sealed_webhook_secret.empty() ? "no" : "yes"));
        auto keys = storage::list_keys_of_application(sql, row.id);
        if (!keys) co_return fail(std::move(keys.error()));
        for (const auto& key : *keys) texts.push_back(key_line(key));
    }
    if (texts.empty()) texts.emplace_back("There are no applications.");
    co_return lines(std::move(texts));
}

Task<Answer> remove(connect::Services& services, PeopleQuestion question) {
    auto row = find_application(services, question.name);
    if (!row) co_return fail(std::move(row.error()));
    auto removed = co_await applications_of(services).remove(row->id, kOperator);
    if (!removed) co_return fail(std::move(removed.error()));
    co_return lines({fmt::format("The application {} is gone.", question.name)});
}

/// Scopes and providers of the oldest key, unless others are named.
Task<Answer> add_key(connect::Services& services, PeopleQuestion question) {
    auto row = find_application(services, question.name);
    if (!row) co_return fail(std::move(row.error()));
    auto keys = storage::list_keys_of_application(services.database.reader(), row->id);
    if (!keys) co_return fail(std::move(keys.error()));
    auto plan = plan_of(question);
    if (plan.scopes.empty() && !keys->empty()) {
        plan.scopes = keys->front().scopes;
        if (plan.providers.empty()) plan.providers = keys->front().providers;
    }
    auto made = co_await applications_of(services).add_key(std::move(plan), kOperator);
    if (!made) co_return fail(std::move(made.error()));
    co_return lines({fmt::format("The key has the id {}. It cannot be shown again:", made->row.id),
                     std::string(made->secret.expose())});
}

Task<Answer> remove_key(connect::Services& services, PeopleQuestion question) {
    auto row = find_application(services, question.name);
    if (!row) co_return fail(std::move(row.error()));
    auto removed =
        co_await applications_of(services).remove_key(row->id, question.key_id, kOperator);
    if (!removed) co_return fail(std::move(removed.error()));
    co_return lines({fmt::format("The key {} is gone.", question.key_id)});
}

Task<Answer> make_secret(connect::Services& services, PeopleQuestion question) {
    auto row = find_application(services, question.name);
    if (!row) co_return fail(std::move(row.error()));
    auto secret = co_await applications_of(services).make_webhook_secret(row->id, kOperator);
    if (!secret) co_return fail(std::move(secret.error()));
    co_return lines(
        {"Webhooks of this application are signed with this secret from now on. It "
         "cannot be shown again:",
         std::string(secret->expose())});
}

Answer list_users_of(connect::Services& services, const storage::Application& application) {
    std::vector<std::string> texts;
    for (std::string after; texts.size() <= kMostLines;) {
        auto users =
            storage::find_users_of(services.database.reader(), application.id, after, kBatch);
        if (!users) return fail(std::move(users.error()));
        for (const auto& user : *users) texts.push_back(user_line(user));
        if (users->size() < kBatch) break;
        after = users->back().id;
    }
    if (texts.empty()) texts.emplace_back("The application reaches nobody.");
    return lines(std::move(texts));
}

Task<Answer> change_users(connect::Services& services, PeopleQuestion question) {
    auto row = find_application(services, question.name);
    if (!row) co_return fail(std::move(row.error()));
    if (question.action == "list") co_return list_users_of(services, *row);
    if (question.action != "add" && question.action != "remove")
        co_return fail(ErrorCode::invalid, "Write add, remove or list.");
    auto user = find_user(services, question.email);
    if (!user) co_return fail(std::move(user.error()));
    const bool is_added = question.action == "add";
    const auto now = services.clock.now();
    auto done = co_await services.database.write([&](storage::Sql& sql) -> Result<void> {
        if (!is_added) {
            auto removed = storage::remove_application_user(sql, row->id, user->id);
            if (!removed) return fail(std::move(removed.error()));
            return {};
        }
        auto added = storage::add_application_user(sql, row->id, user->id);
        return added ? connect::enqueue_bookings(sql, user->id, now) : added;
    });
    if (!done) co_return fail(std::move(done.error()));
    co_return lines({fmt::format("The application {} {} {}.", row->name,
                                 is_added ? "reaches" : "no longer reaches", user->email)});
}

Task<Answer> list_users(connect::Services& services, PeopleQuestion /*question*/) {
    std::vector<std::string> texts;
    for (std::string after; texts.size() <= kMostLines;) {
        auto users = storage::list_users(services.database.reader(), after, kBatch);
        if (!users) co_return fail(std::move(users.error()));
        for (const auto& user : *users) texts.push_back(user_line(user));
        if (users->size() < kBatch) break;
        after = users->back().id;
    }
    if (texts.empty()) texts.emplace_back("There are no users.");
    co_return lines(std::move(texts));
}

Task<Answer> change_user(connect::Services& services, std::string email,
                         storage::UserChange change) {
    auto user = find_user(services, email);
    if (!user) co_return fail(std::move(user.error()));
    const storage::AuditEntry entry{.at = services.clock.now(),
                                    .action = "user.changed",
                                    .actor = "operator",
                                    .user_id = user->id,
                                    .subject = user->id};
    auto done = co_await services.database.write([&](storage::Sql& sql) -> Result<void> {
        auto changed = storage::change_user(sql, user->id, change);
        if (!changed) return fail(std::move(changed.error()));
        if (auto told = storage::write_audit(sql, entry); !told) return told;
        // Bookings may wait for the person behind this address.
        if (!change.is_email_verified) return {};
        return connect::enqueue_bookings(sql, user->id, entry.at);
    });
    if (!done) co_return fail(std::move(done.error()));
    co_return lines({change.role ? fmt::format("{} has the role {} now.", email, *change.role)
                                 : fmt::format("The address {} counts as verified now.", email)});
}

Task<Answer> set_role(connect::Services& services, PeopleQuestion question) {
    return change_user(services, std::move(question.email), {.role = std::move(question.role)});
}

Task<Answer> verify(connect::Services& services, PeopleQuestion question) {
    return change_user(services, std::move(question.email), {.is_email_verified = true});
}

using Function = Task<Answer> (*)(connect::Services&, PeopleQuestion);
constexpr std::array<Function, kPeopleCommands.size()> kFunctions{
    add,          list,        remove,     add_key,  remove_key,
    change_users, make_secret, list_users, set_role, verify};

std::vector<std::string> texts_of(const json::object& object, std::string_view name) {
    std::vector<std::string> texts;
    if (const auto* list = object.if_contains(name); list != nullptr && list->is_array())
        for (const auto& text : list->get_array())
            if (text.is_string()) texts.emplace_back(text.get_string());
    return texts;
}

}  // namespace

json::object PeopleQuestion::to_json() const {
    return {{"command", command},
            {"name", name},
            {"scopes", json::array(scopes.begin(), scopes.end())},
            {"providers", json::array(providers.begin(), providers.end())},
            {"action", action},
            {"email", email},
            {"role", role},
            {"key_id", key_id}};
}

PeopleQuestion PeopleQuestion::from_json(const json::object& object) {
    const auto text = [&](std::string_view name) {
        return std::string(json::text_of(object, name));
    };
    return {.command = text("command"),
            .name = text("name"),
            .scopes = texts_of(object, "scopes"),
            .providers = texts_of(object, "providers"),
            .action = text("action"),
            .email = text("email"),
            .role = text("role"),
            .key_id = text("key_id")};
}

Task<Answer> answer_people(connect::Services& services, PeopleQuestion question) {
    const auto* found = std::ranges::find(kPeopleCommands, question.command);
    if (found == kPeopleCommands.end())
        co_return fail(ErrorCode::not_found, "There is no such command.");
    const auto place = static_cast<std::size_t>(found - kPeopleCommands.begin());
    co_return co_await kFunctions.at(place)(services, std::move(question));
}

void print_lines(const json::object& answer) {
    for (const auto& line : answer.at("lines").as_array())
        fmt::print("{}\n", std::string_view(line.as_string()));
}

}  // namespace calhost::app
