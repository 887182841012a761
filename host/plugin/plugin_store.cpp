// `ctx.store`: a plugin's own keys. Reading is at once, writing waits until it is durable.
#include "storage/plugin_store.h"

#include <fmt/format.h>

#include "base/json.h"
#include "lua/json.h"
#include "plugin/modules.h"
#include "plugin/plugin_context.h"

namespace calhost::plugin {
namespace {

constexpr std::size_t kLongestKey = 512;
constexpr std::size_t kLongestValue = 256U << 10U;
constexpr int kMostListed = 1000;
/// Two workers that change one key at a time agree soon; more than this is a loop.
constexpr int kMostUpdates = 20;
constexpr lua::Budget kUpdateBudget{.instructions = 2'000'000,
                                    .slice = 2'000'000,
                                    .deadline = milliseconds{20},
                                    .pattern_steps = 100'000};

struct Keys {
    lua::State& state;
    std::string plugin;
    const Clock& clock;
    storage::Database& database;
};

using Stored = std::optional<std::string>;

std::string key_argument(lua::Call& call) {
    const auto key = text_argument(call, 2);
    if (key.empty() || key.size() > kLongestKey)
        call.refuse(2, fmt::format("a key has 1 to {} bytes", kLongestKey));
    return std::string(key);
}

/// Argument 4 is `{ ttl = seconds }`.
std::optional<Timestamp> expiry_argument(const Keys& keys, lua::Call& call) {
    const auto options = call.argument(4);
    if (options.is_nil()) return std::nullopt;
    const auto seconds = options.is_table() ? options.integer_field("ttl") : std::nullopt;
    if (!seconds || *seconds <= 0) call.refuse(4, "{ ttl = seconds } is expected");
    return keys.clock.now() + std::chrono::seconds{*seconds};
}

Result<std::string> text_of_value(const lua::Reader& value) {
    auto text = lua::json_text(value);
    if (text && text->size() > kLongestValue)
        return fail(ErrorCode::invalid,
                    fmt::format("a value has {} KiB at most", kLongestValue >> 10U));
    return text;
}

lua::Push push_value(const Stored& text) {
    auto value = text ? json::parse(*text) : Result<json::value>(nullptr);
    return [has_value = text && value, value = value ? std::move(*value) : json::value()](
               lua::Writer& writer) { has_value ? writer.json(value) : writer.nil(); };
}

void get(const Keys& keys, lua::Call& call) {
    const auto stored = storage::get_plugin_value(keys.database.reader(), keys.plugin,
                                                  key_argument(call), keys.clock.now());
    if (!stored) return call.give_error(stored.error());
    call.give(push_value(*stored));
}

void list(const Keys& keys, lua::Call& call) {
    const auto found =
        storage::list_plugin_keys(keys.database.reader(), keys.plugin, call.argument(2).string(),
                                  keys.clock.now(), kMostListed);
    if (!found) return call.give_error(found.error());
    call.give([&](lua::Writer& writer) {
        writer.begin_array(static_cast<int>(found->size()));
        std::int64_t index = 0;
        for (const auto& key : *found) {
            writer.string(key);
            writer.set_item(++index);
        }
    });
}

lua::Push push_true() {
    return [](lua::Writer& writer) { writer.boolean(true); };
}

Task<Result<lua::Push>> refuse(Error error) { co_return fail(std::move(error)); }

Task<Result<lua::Push>> put(std::shared_ptr<const Keys> keys, std::string key, std::string value,
                            std::optional<Timestamp> expires_at) {
    const auto now = keys->clock.now();
    auto done = co_await keys->database.write([&](storage::Sql& sql) {
        return storage::put_plugin_value(sql, keys->plugin, key, value, expires_at, now);
    });
    if (!done) co_return fail(done.error());
    co_return push_true();
}

Task<Result<lua::Push>> remove(std::shared_ptr<const Keys> keys, std::string key) {
    auto done = co_await keys->database.write_for<bool>(
        [&](storage::Sql& sql) { return storage::delete_plugin_value(sql, keys->plugin, key); });
    if (!done) co_return fail(done.error());
    co_return push_true();
}

/// What the script's function makes of the value; nothing: leave it. *Errors*: invalid, for a bug.
Result<Stored> changed(const Keys& keys, const lua::Ref& function, const Stored& before) {
    Stored after;
    const auto outcome =
        keys.state.call_now(function, {push_value(before)}, kUpdateBudget,
                            [&](std::span<const lua::Reader> results) -> Result<void> {
                                if (results.empty() || results.front().is_nil()) return {};
                                auto text = text_of_value(results.front());
                                if (!text) return fail(text.error());
                                after = std::move(*text);
                                return {};
                            });
    if (!outcome) return fail(ErrorCode::invalid, outcome.error().traceback);
    return after;
}

Task<Result<lua::Push>> update(std::shared_ptr<const Keys> keys, std::string key, lua::Ref function,
                               std::optional<Timestamp> expires_at) {
    for (int i = 0; i < kMostUpdates; ++i) {
        const auto now = keys->clock.now();
        auto before = storage::get_plugin_value(keys->database.reader(), keys->plugin, key, now);
        if (!before) co_return fail(before.error());
        auto after = changed(*keys, function, *before);
        if (!after) co_return fail(after.error());
        if (!*after) co_return push_value(*before);
        auto stored =
            co_await keys->database.write_for<bool>([&](storage::Sql& sql) -> Result<bool> {
                auto current = storage::get_plugin_value(sql, keys->plugin, key, now);
                if (!current) return fail(current.error());
                if (*current != *before) return false;
                auto put =
                    storage::put_plugin_value(sql, keys->plugin, key, **after, expires_at, now);
                if (!put) return fail(put.error());
                return true;
            });
        if (!stored) co_return fail(stored.error());
        if (*stored) co_return push_value(*after);
    }
    co_return fail(ErrorCode::conflict, "the value changes all the time");
}

}  // namespace

lua::Ref make_plugin_store(lua::State& state, std::string plugin, Environment environment,
                           storage::Database& database) {
    const auto keys =
        std::make_shared<const Keys>(Keys{state, std::move(plugin), environment.clock, database});
    return state.make_table([&](lua::Table& table) {
        table.function("get", [keys](lua::Call& call) { get(*keys, call); });
        table.function("list", [keys](lua::Call& call) { list(*keys, call); });
        table.waiting("put", [keys](lua::Call& call) {
            auto key = key_argument(call);
            const auto expires_at = expiry_argument(*keys, call);
            auto value = text_of_value(call.argument(3));
            if (!value) return refuse(value.error());
            return put(keys, std::move(key), std::move(*value), expires_at);
        });
        table.waiting("update", [keys](lua::Call& call) {
            auto key = key_argument(call);
            const auto expires_at = expiry_argument(*keys, call);
            if (call.argument(3).type() != lua::Type::function)
                call.refuse(3, "a function is expected");
            return update(keys, std::move(key), keys->state.keep(call.argument(3)), expires_at);
        });
        table.waiting("delete",
                      [keys](lua::Call& call) { return remove(keys, key_argument(call)); });
    });
}

}  // namespace calhost::plugin
