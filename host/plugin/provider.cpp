#include "plugin/provider.h"

#include <fmt/format.h>

#include "base/log.h"
#include "calendar/zone.h"
#include "plugin/event_table.h"
#include "plugin/http_object.h"
#include "plugin/modules.h"

namespace calhost::plugin {
namespace {

using lua::Reader;
using lua::Writer;

// Long enough for five attempts of 30 s and the waits between them: a provider that hangs is a
// timeout, not the script's fault.
constexpr lua::Budget kCallBudget{.instructions = 200'000'000, .deadline = milliseconds{300'000}};

std::unexpected<Error> wrong_result(std::string_view what) {
    return fail(ErrorCode::invalid_response, fmt::format("the provider gave {}", what));
}

lua::Push push_maybe(std::optional<std::string> text) {
    return [text = std::move(text)](Writer& writer) {
        if (text)
            writer.string(*text);
        else
            writer.nil();
    };
}

std::optional<std::string> maybe_text(const Reader& table, std::string_view name) {
    const auto text = table.string_field(name);
    return text.empty() ? std::nullopt : std::optional(std::string(text));
}

/// One item of `events`: an event, or `{id, deleted = true}` (out of the window is no deletion).
Result<void> read_change(const Reader& item, Changes& changes) {
    if (item.boolean_field("out_of_window")) return {};
    if (item.boolean_field("deleted")) {
        changes.deleted.emplace_back(item.string_field("id"));
        return {};
    }
    auto event = read_event(item);
    if (!event) return fail(event.error());
    changes.events.push_back(std::move(*event));
    return {};
}

/// One event that makes no sense must not keep the others from the person.
void take_change(const Reader& item, std::string_view provider, Changes& changes) {
    const auto read = read_change(item, changes);
    if (read) return;
    ++changes.unreadable;
    log::warning("event left out", {{"provider", provider},
                                    {"reason", read.error().message},
                                    {"event_id", item.string_field("id")}});
}

/// `ctx.changes`: takes a change over at once, so that a big page is never all there as tables.
lua::Ref make_changes_object(lua::State& state, const std::shared_ptr<Changes>& changes) {
    const std::weak_ptr<Changes> weak = changes;
    return state.make_table([&](lua::Table& table) {
        table.function("add", [weak, provider = state.name()](lua::Call& call) {
            const auto into = weak.lock();
            if (into == nullptr) call.refuse(1, "ctx.changes belongs to a call that is over");
            if (!call.argument(2).is_table()) call.refuse(2, "an event is expected");
            take_change(call.argument(2), provider, *into);
        });
    });
}

Result<void> read_changes(const Reader& table, std::string_view provider, Changes& changes) {
    if (!table.is_table()) return wrong_result("no table of changes");
    table.with_field("events", [&](const Reader& list) {
        if (!list.is_table()) return;
        changes.events.reserve(changes.events.size() + static_cast<std::size_t>(list.size()));
        list.each_item(
            [&](std::int64_t, const Reader& item) { take_change(item, provider, changes); });
    });
    changes.page = maybe_text(table, "page");
    changes.cursor = maybe_text(table, "cursor");
    const auto zone = table.string_field("time_zone");
    if (calendar::is_zone(zone)) changes.time_zone = zone;
    return {};
}

}  // namespace

Provider::Provider(ProviderSource source, Environment environment)
    : source_(std::move(source)),
      environment_(environment),
      breaker_(source_.name, environment.clock) {}

Result<std::unique_ptr<Provider>> Provider::load(const ProviderSource& source,
                                                 Environment environment) {
    std::unique_ptr<Provider> provider(new Provider(source, environment));
    if (auto loaded = provider->load_script(); !loaded) return fail(loaded.error());
    return provider;
}

Result<void> Provider::load_script() {
    auto state = lua::State::create({.name = source_.name, .timers = &environment_.timers},
                                    environment_.clock);
    if (!state) return fail(state.error());
    state_ = std::move(*state);
    add_modules(*state_, environment_.clock);
    auto loaded = state_->load(source_.chunk_name, source_.code);
    if (!loaded)
        return fail(
            ErrorCode::misconfigured,
            fmt::format("{} does not load: {}", source_.chunk_name, loaded.error().traceback));
    table_ = *loaded;
    Result<ProviderInfo> info = fail(ErrorCode::misconfigured, "");
    state_->look(table_, [&](const Reader& reader) {
        boost::json::object data;
        reader.each_field([&](std::string_view name, const Reader& member) {
            if (member.type() == lua::Type::function) return;
            if (auto value = member.json()) data[name] = std::move(*value);
        });
        info = read_provider_info(data);
    });
    if (!info)
        return fail(ErrorCode::misconfigured,
                    fmt::format("{}: {}", source_.chunk_name, info.error().message));
    info_ = std::move(*info);
    return {};
}

lua::Push Provider::context(const lua::Ref& http, const lua::Ref& changes,
                            const Account* account) const {
    return [this, http, changes, account](Writer& writer) {
        writer.begin_table(0, 4);
        if (account != nullptr) {
            writer.json(account->data);
            writer.field("url", account->url);
            writer.set_field("account");
        }
        state_->push(writer, http);
        writer.set_field("http");
        if (changes.is_set()) {
            state_->push(writer, changes);
            writer.set_field("changes");
        }
        writer.json(info_.config);
        writer.set_field("config");
    };
}

Task<Result<void>> Provider::call(std::string function, Access& access,
                                  std::vector<lua::Push> arguments, Read read, lua::Ref changes) {
    if (auto admitted = breaker_.admit(); !admitted) co_return fail(admitted.error());
    const auto lua_function = state_->member(table_, function);
    if (!lua_function.is_set())
        co_return fail(ErrorCode::unsupported,
                       fmt::format("{} does not offer {}", info_.title, function));
    // The Lua object holds it weakly: `ctx.http` ends with this call.
    const auto http = std::make_shared<HttpCall>(HttpCall{environment_.transport,
                                                          environment_.clock, environment_.timers,
                                                          environment_.random, info_, access});
    arguments.insert(arguments.begin(),
                     context(make_http_object(*state_, http), changes, access.account()));
    auto outcome = co_await state_->call(lua_function, std::move(arguments), kCallBudget,
                                         [&read](std::span<const Reader> results) -> Result<void> {
                                             if (results.empty()) return wrong_result("nothing");
                                             return read(results.front());
                                         });
    breaker_.report(outcome ? lua::Overrun::none : outcome.error().overrun);
    if (outcome) co_return Result<void>{};
    const auto& failure = outcome.error();
    if (failure.is_bug || failure.overrun != lua::Overrun::none)
        log::error("plugin failed", {{"plugin", source_.name},
                                     {"function", function},
                                     {"connection_id", access.connection_id()},
                                     {"traceback", failure.traceback}});
    co_return fail(failure.error);
}

Task<Result<boost::json::object>> Provider::discover(Access& access) {
    boost::json::object data;
    auto done = co_await call("discover", access, {}, [&](const Reader& table) -> Result<void> {
        auto value = table.json();
        if (!value) return fail(value.error());
        if (!value->is_object()) return wrong_result("no table of the account's data");
        data = std::move(value->get_object());
        return {};
    });
    if (!done) co_return fail(done.error());
    co_return data;
}

Task<Result<Identity>> Provider::identity(Access& access) {
    Identity identity;
    auto done = co_await call("identity", access, {}, [&](const Reader& table) -> Result<void> {
        identity = {.id = std::string(table.string_field("id")),
                    .email = std::string(table.string_field("email")),
                    .name = std::string(table.string_field("name"))};
        if (identity.id.empty()) return wrong_result("no id of the account");
        return {};
    });
    if (!done) co_return fail(done.error());
    co_return identity;
}

Task<Result<std::vector<CalendarInfo>>> Provider::list_calendars(Access& access) {
    std::vector<CalendarInfo> calendars;
    auto done =
        co_await call("list_calendars", access, {}, [&](const Reader& list) -> Result<void> {
            if (!list.is_table()) return wrong_result("no list of calendars");
            list.each_item([&](std::int64_t, const Reader& item) {
                calendars.push_back({.id = std::string(item.string_field("id")),
                                     .name = std::string(item.string_field("name")),
                                     .is_primary = item.boolean_field("primary"),
                                     .is_read_only = item.boolean_field("read_only"),
                                     .color = std::string(item.string_field("color")),
                                     .time_zone = std::string(item.string_field("time_zone"))});
            });
            return {};
        });
    if (!done) co_return fail(done.error());
    co_return calendars;
}

Task<Result<Changes>> Provider::list_changes(Access& access, std::string calendar_id,
                                             std::optional<std::string> cursor,
                                             std::optional<std::string> page,
                                             Timestamp window_start) {
    std::vector<lua::Push> arguments;
    arguments.emplace_back([id = std::move(calendar_id)](Writer& writer) {
        writer.begin_table(0, 1);
        writer.field("id", id);
    });
    arguments.push_back(push_maybe(std::move(cursor)));
    arguments.push_back(push_maybe(std::move(page)));
    arguments.emplace_back([start = format_rfc3339(window_start)](Writer& writer) {
        writer.begin_table(0, 1);
        writer.field("start", start);
    });
    // The Lua object holds it weakly: `ctx.changes` ends with this call.
    const auto changes = std::make_shared<Changes>();
    auto done = co_await call(
        "list_changes", access, std::move(arguments),
        [&](const Reader& table) { return read_changes(table, source_.name, *changes); },
        make_changes_object(*state_, changes));
    if (!done) co_return fail(done.error());
    co_return std::move(*changes);
}

}  // namespace calhost::plugin
