#include "plugin/plugin_context.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/encoding.h"
#include "base/log_fields.h"
#include "crypto/crypto.h"
#include "plugin/modules.h"
#include "storage/audit.h"

namespace calhost::plugin {
namespace {

using lua::Call;
using lua::Reader;
using lua::Writer;

// --- log -------------------------------------------------------------------------------------

log::Value log_value(const Reader& value) {
    if (const auto whole = value.integer()) return {*whole};
    if (const auto number = value.number()) return {*number};
    if (value.type() == lua::Type::boolean) return {value.boolean()};
    return {value.string()};
}

using Named = std::vector<std::pair<std::string, log::Value>>;

/// `{ details = { status = 500 } }` becomes the field "details.status".
void add_fields(const Reader& table, const std::string& prefix, Named& fields) {
    table.each_field([&](std::string_view name, const Reader& value) {
        const auto whole = prefix + std::string(name);
        if (value.is_table() && prefix.empty())
            add_fields(value, whole + ".", fields);
        else if (!value.is_nil())
            fields.emplace_back(whole, log_value(value));
    });
}

void write_log(Call& call, log::Level level, const std::string& plugin) {
    Named named{{"plugin", plugin}};
    if (call.argument(3).is_table()) add_fields(call.argument(3), "", named);
    std::ranges::sort(named.begin() + 1, named.end(), {}, &Named::value_type::first);
    std::vector<log::Field> fields;
    for (const auto& [name, value] : named) fields.push_back({name, value});
    log::write_fields(level, text_argument(call, 2), fields);
}

void fill_log(lua::Table& table, const std::string& plugin) {
    for (const auto& [name, level] : {std::pair{"debug", log::Level::debug},
                                      {"info", log::Level::info},
                                      {"warning", log::Level::warning},
                                      {"error", log::Level::error}})
        table.function(name, [plugin, at = level](Call& call) { write_log(call, at, plugin); });
}

// --- secrets ---------------------------------------------------------------------------------

using Secrets = std::map<std::string, Secret, std::less<>>;

Secrets secrets_of(const InstalledPlugin& installed) {
    Secrets secrets;
    for (const auto& field : installed.schema.fields) {
        const auto* value = installed.values.if_contains(field.name);
        if (field.is_secret && value != nullptr && value->is_string())
            secrets.emplace(field.name, Secret(std::string(value->get_string())));
    }
    return secrets;
}

/// A secret of the section signs and is compared with, and the script never sees it.
void fill_secrets(lua::Table& table, const std::shared_ptr<const Secrets>& secrets) {
    table.function("has", [secrets](Call& call) {
        const bool has = secrets->contains(text_argument(call, 2));
        call.give([has](Writer& writer) { writer.boolean(has); });
    });
    table.function("hmac_sha256", [secrets](Call& call) {
        const auto secret = secrets->find(text_argument(call, 2));
        if (secret == secrets->end()) call.refuse(2, "the section has no such secret");
        give_text(call,
                  hex_encode(crypto::hmac_sha256(secret->second.expose(), text_argument(call, 3))));
    });
}

// --- audit -----------------------------------------------------------------------------------

/// "token-sync" and "sent" are the action "token_sync.sent".
std::string action_of(std::string plugin, std::string_view word) {
    std::ranges::replace(plugin, '-', '_');
    return fmt::format("{}.{}", plugin, word);
}

Task<Result<lua::Push>> write_audit(storage::Database& database, storage::AuditEntry entry) {
    auto done = co_await database.write(
        [&](storage::Sql& sql) { return storage::write_audit(sql, entry); });
    if (!done) co_return fail(done.error());
    co_return [](Writer& writer) { writer.boolean(true); };
}

void fill_audit(lua::Table& table, const std::string& plugin, const Clock& clock,
                storage::Database& database) {
    table.waiting("write", [plugin, &clock, &database](Call& call) {
        const auto about = call.argument(3);
        storage::AuditEntry entry{.at = clock.now(),
                                  .action = action_of(plugin, text_argument(call, 2)),
                                  .actor = "host"};
        if (about.is_table()) {
            entry.user_id = about.string_field("user_id");
            entry.subject = about.string_field("subject");
        }
        return write_audit(database, std::move(entry));
    });
}

// --- what is granted -------------------------------------------------------------------------

void set_text(Writer& writer, std::string_view name, std::string_view text) {
    if (!text.empty()) writer.field(name, text);
}

Task<Result<lua::Push>> give_tokens(Powers& powers, std::string connection_id) {
    auto tokens = co_await powers.tokens_of(std::move(connection_id));
    if (!tokens) co_return fail(tokens.error());
    co_return [granted = std::move(*tokens)](Writer& writer) {
        writer.begin_table(0, 4);
        writer.field("access_token", granted.access_token.expose());
        set_text(writer, "refresh_token", granted.refresh_token.expose());
        if (granted.expires_at) writer.field("expires_at", format_rfc3339(*granted.expires_at));
        writer.field("scope", granted.scope);
    };
}

void give_found(Call& call, const Result<std::optional<boost::json::object>>& found) {
    if (!found) return call.give_error(found.error());
    call.give([&](Writer& writer) { *found ? writer.json(**found) : writer.nil(); });
}

void fill_users(lua::Table& table, Powers& powers) {
    table.function("get", [&powers](Call& call) {
        give_found(call, powers.find_user(text_argument(call, 2)));
    });
    table.function("find_by_email", [&powers](Call& call) {
        give_found(call, powers.find_user_by_email(text_argument(call, 2)));
    });
}

std::string required(Call& call, std::string_view member) {
    const auto text = call.argument(2).string_field(member);
    if (text.empty()) call.refuse(2, fmt::format("{} is missing", member));
    return std::string(text);
}

Task<Result<lua::Push>> adopt(Powers& powers, OfferedGrant offer) {
    auto row = co_await powers.adopt(std::move(offer));
    if (!row) co_return fail(row.error());
    co_return [adopted = std::move(*row)](Writer& writer) { writer.json(adopted); };
}

Task<Result<lua::Push>> forget(Powers& powers, std::string id) {
    auto gone = co_await powers.forget(std::move(id));
    if (!gone) co_return fail(gone.error());
    co_return [was_there = *gone](Writer& writer) { writer.boolean(was_there); };
}

void fill_connections(lua::Table& table, Powers& powers) {
    table.waiting("adopt", [&powers](Call& call) {
        if (!call.argument(2).is_table()) call.refuse(2, "a table is expected");
        return adopt(powers, {.user_id = required(call, "user_id"),
                              .provider = required(call, "provider"),
                              .account = required(call, "account"),
                              .scope = std::string(call.argument(2).string_field("scope")),
                              .refresh_token = Secret(required(call, "refresh_token"))});
    });
    table.waiting("forget", [&powers](Call& call) {
        return forget(powers, std::string(text_argument(call, 2)));
    });
    table.function("get", [&powers](Call& call) {
        give_found(call, powers.find_connection(text_argument(call, 2)));
    });
    table.function("list", [&powers](Call& call) {
        const auto rows = powers.list_connections(text_argument(call, 2));
        if (!rows) return call.give_error(rows.error());
        call.give([&](Writer& writer) {
            writer.begin_array(static_cast<int>(rows->size()));
            std::int64_t index = 0;
            for (const auto& row : *rows) {
                writer.json(row);
                writer.set_item(++index);
            }
        });
    });
}

Task<Result<lua::Push>> send_mail(Powers& powers, std::string to, net::Mail mail) {
    auto address = parse_mail_address(to);
    if (!address) co_return fail(address.error());
    mail.to = std::move(*address);
    auto sent = co_await powers.send_mail(std::move(mail));
    if (!sent) co_return fail(sent.error());
    co_return [](Writer& writer) { writer.boolean(true); };
}

void fill_mail(lua::Table& table, Powers& powers) {
    table.waiting("send", [&powers](Call& call) {
        if (!call.argument(2).is_table()) call.refuse(2, "a table is expected");
        return send_mail(powers, required(call, "to"),
                         {.to = {},
                          .subject = required(call, "subject"),
                          .text = required(call, "text"),
                          .key = std::string(call.argument(2).string_field("key"))});
    });
}

}  // namespace

PluginContext::PluginContext(lua::State& state, const InstalledPlugin& installed,
                             Environment environment, storage::Database& database, Powers& powers)
    : state_(state), config_(without_secrets(installed.schema, installed.values)) {
    const auto& name = installed.source.name;
    const auto add = [&](std::string member, const std::function<void(lua::Table&)>& fill) {
        members_.emplace_back(std::move(member), state.make_table(fill));
    };
    members_.emplace_back("http", make_plugin_http(state, environment, name, installed.origins));
    members_.emplace_back("store", make_plugin_store(state, name, environment, database));
    add("log", [&](lua::Table& table) { fill_log(table, name); });
    add("clock", [&clock = environment.clock](lua::Table& table) {
        table.function("now", [&clock](Call& call) {
            const auto now = to_millis(clock.now());
            call.give([now](Writer& writer) { writer.integer(now); });
        });
    });
    add("audit", [&](lua::Table& table) { fill_audit(table, name, environment.clock, database); });
    add("secrets", [&](lua::Table& table) {
        fill_secrets(table, std::make_shared<const Secrets>(secrets_of(installed)));
    });
    if (installed.grants.contains("tokens"))
        add("tokens", [&](lua::Table& table) {
            table.waiting("of", [&powers](Call& call) {
                return give_tokens(powers, std::string(text_argument(call, 2)));
            });
        });
    if (installed.grants.contains("mail"))
        add("mail", [&](lua::Table& table) { fill_mail(table, powers); });
    if (installed.grants.contains("users"))
        add("users", [&](lua::Table& table) { fill_users(table, powers); });
    if (installed.grants.contains("connections"))
        add("connections", [&](lua::Table& table) { fill_connections(table, powers); });
}

lua::Push PluginContext::push() const {
    return [this](Writer& writer) {
        writer.begin_table(0, static_cast<int>(members_.size()) + 1);
        writer.json(config_);
        writer.set_field("config");
        for (const auto& [name, member] : members_) {
            state_.push(writer, member);
            writer.set_field(name);
        }
    };
}

}  // namespace calhost::plugin
