#include "accounts/applications.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/encoding.h"
#include "storage/audit.h"

namespace calhost::accounts {
namespace {

constexpr std::size_t kLongestName = 64;
constexpr std::string_view kSecretMark = "whsec_";
constexpr std::size_t kSecretBytes = 32;

bool is_word(std::string_view text) {
    return !text.empty() && text.size() <= kLongestName && std::ranges::all_of(text, [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
               c == '.' || c == '_' || c == '-';
    });
}

crypto::Place secret_place(std::string_view application_id) {
    return {"applications", "sealed_webhook_secret", application_id, ""};
}

storage::AuditEntry entry(Timestamp now, std::string_view action, const Actor& actor,
                          std::string_view subject) {
    return {.at = now,
            .action = std::string(action),
            .actor = actor.name,
            .subject = std::string(subject),
            .request_id = actor.request_id};
}

/// What a write that found nothing means.
Result<void> must_exist(const Result<bool>& changed, std::string_view what) {
    if (!changed) return fail(changed.error());
    if (!*changed) return fail(ErrorCode::not_found, fmt::format("There is no such {}.", what));
    return {};
}

}  // namespace

std::vector<FieldError> check(const ApplicationPlan& plan) {
    std::vector<FieldError> errors;
    if (!is_word(plan.name))
        errors.push_back(
            {"name", "The name has 1 to 64 letters, digits, dots, underscores and hyphens."});
    const auto known = application_scopes();
    const auto is_unknown = [&](const std::string& scope) {
        return std::ranges::find(known, scope) == known.end();
    };
    if (plan.scopes.empty() || std::ranges::any_of(plan.scopes, is_unknown))
        errors.push_back(
            {"scopes", fmt::format("The scopes are some of {}.", fmt::join(known, ", "))});
    if (!std::ranges::all_of(plan.providers, is_word))
        errors.push_back({"providers", "The providers are names such as google."});
    return errors;
}

NewKey Applications::new_key(const ApplicationPlan& plan, const std::string& application_id) {
    return make_key({.application_id = application_id,
                     .name = plan.name,
                     .scopes = plan.scopes,
                     .providers = plan.providers},
                    clock_->now(), *random_);
}

Task<Result<Applications::Made>> Applications::add(ApplicationPlan plan, Actor actor) {
    if (const auto errors = check(plan); !errors.empty())
        co_return fail(ErrorCode::invalid, errors.front().message);
    const auto now = clock_->now();
    storage::Application row{.id = new_id(*random_), .name = plan.name, .created_at = now};
    auto key = new_key(plan, row.id);
    auto stored = co_await database_->write([&](storage::Sql& sql) -> Result<void> {
        if (auto done = storage::insert_application(sql, row); !done) return done;
        if (auto done = storage::insert_api_key(sql, key.row); !done) return done;
        return storage::write_audit(sql, entry(now, "application.created", actor, row.id));
    });
    if (!stored) co_return fail(std::move(stored.error()));
    co_return Made{std::move(row), std::move(key)};
}

Task<Result<NewKey>> Applications::add_key(ApplicationPlan plan, Actor actor) {
    if (const auto errors = check(plan); !errors.empty())
        co_return fail(ErrorCode::invalid, errors.front().message);
    auto application = storage::find_application_by_name(database_->reader(), plan.name);
    if (!application) co_return fail(std::move(application.error()));
    if (!*application) co_return fail(ErrorCode::not_found, "There is no such application.");
    auto key = new_key(plan, (*application)->id);
    const auto now = clock_->now();
    auto stored = co_await database_->write([&](storage::Sql& sql) -> Result<void> {
        if (auto done = storage::insert_api_key(sql, key.row); !done) return done;
        return storage::write_audit(sql, entry(now, "key.created", actor, key.row.id));
    });
    if (!stored) co_return fail(std::move(stored.error()));
    co_return key;
}

Task<Result<void>> Applications::remove(std::string application_id, Actor actor) {
    const auto now = clock_->now();
    co_return co_await database_->write([&](storage::Sql& sql) -> Result<void> {
        auto gone = must_exist(storage::delete_application(sql, application_id), "application");
        if (!gone) return gone;
        return storage::write_audit(sql, entry(now, "application.deleted", actor, application_id));
    });
}

Task<Result<void>> Applications::remove_key(std::string application_id, std::string key_id,
                                            Actor actor) {
    const auto now = clock_->now();
    co_return co_await database_->write([&](storage::Sql& sql) -> Result<void> {
        auto gone =
            must_exist(storage::delete_key_of_application(sql, application_id, key_id), "key");
        if (!gone) return gone;
        return storage::write_audit(sql, entry(now, "key.deleted", actor, key_id));
    });
}

Task<Result<Secret>> Applications::make_webhook_secret(std::string application_id, Actor actor) {
    const Secret secret(std::string(kSecretMark) +
                        base64_encode(random_bytes(*random_, kSecretBytes)));
    const auto sealed = keys_->current()->seal(secret, secret_place(application_id), *random_);
    const auto now = clock_->now();
    auto stored = co_await database_->write([&](storage::Sql& sql) -> Result<void> {
        auto set =
            must_exist(storage::set_webhook_secret(sql, application_id, sealed), "application");
        if (!set) return set;
        return storage::write_audit(sql,
                                    entry(now, "application.secret_made", actor, application_id));
    });
    if (!stored) co_return fail(std::move(stored.error()));
    co_return secret;
}

Result<Secret> Applications::webhook_secret(const storage::Application& application) {
    if (application.sealed_webhook_secret.empty()) return Secret();
    auto text =
        keys_->current()->open(application.sealed_webhook_secret, secret_place(application.id));
    if (!text) return text;
    auto bytes = base64_decode(text->expose().substr(kSecretMark.size()));
    if (!bytes) return fail(std::move(bytes.error()));
    return Secret(std::move(*bytes));
}

}  // namespace calhost::accounts
