#include "app/plugin_powers.h"

#include "connect/connections.h"
#include "connect/sealing.h"
#include "storage/users.h"

namespace calhost::app {
namespace {

json::object shape(const storage::User& user) {
    return {
        {"id", user.id},     {"email", user.email}, {"is_email_verified", user.is_email_verified},
        {"name", user.name}, {"role", user.role},   {"time_zone", user.time_zone}};
}

json::object shape(const storage::Connection& row) {
    return {{"id", row.id},           {"user_id", row.user_id}, {"provider", row.provider},
            {"account", row.account}, {"email", row.email},     {"calendar_id", row.calendar_id},
            {"purpose", row.purpose}, {"state", row.state},     {"last_error", row.last_error}};
}

template <class Row>
Result<std::optional<json::object>> shape(const Result<std::optional<Row>>& row) {
    if (!row) return fail(row.error());
    return *row ? std::optional(shape(**row)) : std::nullopt;
}

Result<Secret> open(const sync::Home& home, const storage::Connection& row, std::string_view sealed,
                    std::string_view column) {
    return connect::open_token(*home.services, sealed, column, row.id, row.user_id);
}

Task<Result<plugin::GrantedTokens>> read_tokens(const sync::Home& home, std::string id) {
    auto found = storage::find_connection_for_job(home.services->database.reader(), id);
    if (!found) co_return fail(found.error());
    if (!*found) co_return fail(ErrorCode::not_found, "The calendar was disconnected meanwhile.");
    const auto row = co_await home.keeper->fresh_row(id, (*found)->user_id);
    if (!row) co_return fail(row.error());
    auto access = open(home, *row, row->sealed_access_token, connect::kAccessColumn);
    if (!access) co_return fail(access.error());
    auto refresh = open(home, *row, row->sealed_refresh_token, connect::kRefreshColumn);
    if (!refresh) co_return fail(refresh.error());
    co_return plugin::GrantedTokens{std::move(*access), std::move(*refresh), row->token_expires_at,
                                    row->scopes};
}

}  // namespace

Task<Result<plugin::GrantedTokens>> PluginPowers::tokens_of(std::string connection_id) {
    return homes_->run<Result<plugin::GrantedTokens>>(
        connection_id,
        [id = connection_id](const sync::Home& home) { return read_tokens(home, id); });
}

Result<std::optional<json::object>> PluginPowers::find_user(std::string_view id) {
    return shape(storage::find_user(database_->reader(), id));
}

Result<std::optional<json::object>> PluginPowers::find_user_by_email(std::string_view email) {
    return shape(storage::find_user_by_email(database_->reader(), email));
}

Result<std::optional<json::object>> PluginPowers::find_connection(std::string_view id) {
    return shape(storage::find_connection_for_job(database_->reader(), id));
}

Result<std::vector<json::object>> PluginPowers::list_connections(std::string_view user_id) {
    auto rows = storage::list_connections(database_->reader(), user_id);
    if (!rows) return fail(rows.error());
    std::vector<json::object> shapes;
    for (const auto& row : *rows) shapes.push_back(shape(row));
    return shapes;
}

Task<Result<json::object>> PluginPowers::adopt(plugin::OfferedGrant offer) {
    auto connected = co_await flow_->adopt({.user_id = std::move(offer.user_id),
                                            .provider = std::move(offer.provider),
                                            .account = std::move(offer.account),
                                            .scopes = std::move(offer.scope),
                                            .refresh_token = std::move(offer.refresh_token)});
    if (!connected) co_return fail(connected.error().error);
    co_return shape(connected->connection);
}

Task<Result<bool>> PluginPowers::forget(std::string connection_id) {
    auto row = storage::find_connection_for_job(database_->reader(), connection_id);
    if (!row) co_return fail(row.error());
    if (!*row) co_return false;
    co_return co_await connect::forget(*services_, std::move(**row));
}

Task<Result<void>> PluginPowers::send_mail(net::Mail mail) {
    if (mailer_ == nullptr)
        co_return fail(ErrorCode::misconfigured,
                       "The configuration names no mail server; mail.url is missing.");
    co_return co_await mailer_->send(std::move(mail));
}

}  // namespace calhost::app
