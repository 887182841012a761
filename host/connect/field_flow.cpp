#include "connect/field_flow.h"

#include <fmt/format.h>

#include "base/log.h"
#include "base/timeout.h"
#include "connect/account_data.h"
#include "connect/audit.h"
#include "connect/choice.h"
#include "connect/connections.h"
#include "connect/hooks.h"
#include "connect/jobs.h"
#include "connect/sealing.h"

namespace calhost::connect {
namespace {

constexpr milliseconds kLookTime{10'000};
/// Of everything that is asked; the repeats of one request alone may take longer.
constexpr milliseconds kPatience{60'000};

/// The account before it is stored. The first 401 is the last: servers lock out who goes on.
class EnteredAccess final : public plugin::Access {
  public:
    EnteredAccess(plugin::Account& account, const Secret& token, const std::string& id)
        : account_(&account), token_(&token), id_(id) {}
    Task<Result<Secret>> token(bool was_refused) override {
        if (was_refused) co_return fail(ErrorCode::unauthorized, "The password was refused.");
        co_return *token_;
    }
    [[nodiscard]] std::optional<Timestamp> blocked_until() const override { return std::nullopt; }
    Task<> block_until(Timestamp /*when*/) override { co_return; }
    [[nodiscard]] const plugin::Account* account() const override { return account_; }
    [[nodiscard]] const std::string& connection_id() const override { return id_; }

  private:
    plugin::Account* account_;
    const Secret* token_;
    std::string id_;
};

FieldFailure about(std::string word, std::string field, std::string message) {
    Error error{ErrorCode::invalid, message};
    return {std::move(word), {{std::move(field), std::move(message)}}, std::move(error)};
}

FieldFailure plain(Error error) {
    return {std::string(to_string(error.code)), {}, std::move(error)};
}

/// What the person is told of an address that cannot be asked.
FieldFailure look_failure(const plugin::ProviderInfo& provider, const Error& error) {
    const auto field = field_of_kind(provider, "url");
    if (error.code == ErrorCode::forbidden)
        return about("address_refused", field,
                     "This address is not allowed: it must be public and https. The operator of "
                     "this host can allow networks in network.allow_private.");
    if (error.code == ErrorCode::timeout)
        return about("address_unreachable", field, "Nothing answers at this address in time.");
    return about("address_unreachable", field, error.message);
}

std::string refused_sentence(const plugin::AuthPreset* preset) {
    std::string sentence =
        "The server refuses the user name or the password. Many services want a password that was "
        "made for one app";
    if (preset != nullptr && !preset->help.empty())
        return fmt::format("{}; {} makes them at {}", sentence, preset->title, preset->help);
    return sentence + ".";
}

/// What the person is told of an account that cannot be found or used.
FieldFailure find_failure(const plugin::ProviderInfo& provider, const std::string& url,
                          const Error& error) {
    const auto field = field_of_kind(provider, "url");
    switch (error.code) {
        case ErrorCode::unauthorized:
        case ErrorCode::needs_reauth:
            return about("credentials_refused", field_of_kind(provider, "password"),
                         refused_sentence(preset_of(provider, url)));
        case ErrorCode::not_found:
        case ErrorCode::invalid_response:
        case ErrorCode::invalid:
        case ErrorCode::unsupported:
            return about("no_calendar_server", field,
                         fmt::format("There is no {} account at this address.", provider.title));
        case ErrorCode::forbidden:
            return about("no_calendar_server", field, error.message);
        case ErrorCode::unavailable:
        case ErrorCode::timeout:
            return about("address_unreachable", field,
                         "The server at this address does not answer as it should. Please try "
                         "again later.");
        default:
            return plain(error);
    }
}

}  // namespace

struct FieldFlow::Found {
    std::string id;  ///< of the connection that it becomes
    plugin::Account account;
    Secret token;
    plugin::Identity identity;
    std::vector<plugin::CalendarInfo> calendars;
};

Task<std::expected<storage::Connection, FieldFailure>> FieldFlow::connect(FieldForm form) {
    auto* provider = services_->providers.find(form.provider);
    if (provider == nullptr)
        co_return std::unexpected(plain({ErrorCode::not_found, "There is no such provider."}));
    const auto& info = provider->info();
    if (!info.auth.is_by_fields())
        co_return std::unexpected(plain(
            {ErrorCode::unsupported,
             fmt::format("{} is connected on its own page, not with a password.", info.title)}));
    auto read = read_form(info, form.fields);
    if (!read) {
        Error error{ErrorCode::invalid, read.error().front().message};
        co_return std::unexpected(FieldFailure{"invalid", std::move(read.error()), error});
    }
    const std::string url = read->account.url;
    if (auto looked = co_await look(read->account); !looked)
        co_return std::unexpected(look_failure(info, looked.error()));
    // Sealed values are bound to their row before it is written.
    auto existing = storage::find_connection(services_->database.reader(), form.user_id,
                                             form.provider, form.account);
    if (!existing) co_return std::unexpected(plain(existing.error()));
    auto id = *existing ? (*existing)->id : new_id(services_->random);
    auto found = co_await with_timeout(services_->timers, kPatience,
                                       find(*provider, std::move(*read), std::move(id)));
    if (!found) {
        log::info("account not connected", {{"user_id", form.user_id},
                                            {"provider", form.provider},
                                            {"code", to_string(found.error().code)},
                                            {"reason", found.error().message}});
        co_return std::unexpected(find_failure(info, url, found.error()));
    }
    if (found->calendars.empty())
        co_return std::unexpected(about("no_calendars", field_of_kind(info, "url"),
                                        "This account has no calendar that holds events."));
    auto stored = co_await store(form, std::move(*found));
    if (!stored) co_return std::unexpected(plain(stored.error()));
    co_return std::move(*stored);
}

/// Any answer will do: which one is the provider's business.
Task<Result<void>> FieldFlow::look(const plugin::Account& account) {
    net::ClientRequest request{.method = "OPTIONS", .url = account.url};
    request.timeout = kLookTime;
    request.is_user_address = true;
    auto answer = co_await services_->transport.send(std::move(request));
    if (answer || answer.error().code == ErrorCode::invalid_response) co_return Result<void>{};
    co_return fail(answer.error());
}

Task<Result<FieldFlow::Found>> FieldFlow::find(plugin::Provider& provider, ReadForm form,
                                               std::string id) {
    Found found{
        .id = std::move(id), .account = std::move(form.account), .token = std::move(form.token)};
    EnteredAccess access(found.account, found.token, found.id);
    if (provider.offers("discover")) {
        auto data = co_await provider.discover(access);
        if (!data) co_return fail(data.error());
        for (const auto& member : *data) found.account.data[member.key()] = member.value();
    }
    auto identity = co_await provider.identity(access);
    if (!identity) co_return fail(identity.error());
    found.identity = std::move(*identity);
    auto calendars = co_await provider.list_calendars(access);
    if (!calendars) co_return fail(calendars.error());
    found.calendars = std::move(*calendars);
    co_return found;
}

Task<Result<storage::Connection>> FieldFlow::store(const FieldForm& form, Found found) {
    const auto now = services_->clock.now();
    storage::Connection connection;
    connection.id = std::move(found.id);
    connection.user_id = form.user_id;
    connection.provider = form.provider;
    connection.account = form.account;
    connection.purpose = form.purpose;
    // Servers name their accounts for themselves: "/principals/ann/" may be on every one of them.
    connection.external_id = fmt::format("{} {}", found.account.url, found.identity.id);
    connection.email = found.identity.email;
    connection.token_type = "Basic";
    connection.account_data = write_account(found.account);
    connection.sealed_access_token =
        seal_token(*services_, found.token, kAccessColumn, connection.id, connection.user_id);
    connection.connected_at = now;
    connection.updated_at = now;
    const auto calendars = calendar_rows(connection.id, std::move(found.calendars));
    connection.calendar_id = best_of(calendars).id;
    const auto job = sync_job(*services_, connection, "connect");
    const auto hooks = hook_jobs(*services_, "connection.created", connection);
    auto entry = audit_entry(now, "connection.created", connection, owner_of(connection),
                             {{"purpose", connection.purpose}});
    entry.request_id = form.request_id;
    auto stored = co_await services_->database.write_for<storage::Connection>(
        [&](storage::Sql& sql) -> Result<storage::Connection> {
            auto row = storage::store_grant(sql, connection);
            if (!row) return row;
            if (row->id != connection.id)
                return fail(ErrorCode::conflict,
                            "This calendar was connected by another request meanwhile.");
            if (auto done = storage::replace_calendars(sql, row->id, row->user_id, calendars);
                !done)
                return fail(done.error());
            if (auto queued = storage::enqueue_job(sql, job); !queued) return fail(queued.error());
            if (auto told = storage::write_audit(sql, entry); !told) return fail(told.error());
            if (auto told = enqueue_all(sql, hooks); !told) return fail(told.error());
            if (auto queued = enqueue_bookings(sql, row->user_id, job.run_at); !queued)
                return fail(queued.error());
            return row;
        });
    if (!stored) co_return stored;
    co_await services_->crash_points.reach("connect.stored");
    log::info("calendar connected", {{"connection_id", stored->id},
                                     {"user_id", stored->user_id},
                                     {"provider", stored->provider},
                                     {"account", stored->account}});
    co_return stored;
}

}  // namespace calhost::connect
