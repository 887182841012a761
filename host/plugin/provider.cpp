#include "plugin/provider.h"

#include <charconv>

#include "base/log.h"
#include "plugin/http_object.h"
#include "plugin/modules.h"
#include "plugin/provider_parts.h"

namespace calhost::plugin {

using lua::Reader;
using lua::Writer;

lua::Push push_text(std::string text) {
    return [text = std::move(text)](Writer& writer) { writer.string(text); };
}

lua::Push push_maybe(std::optional<std::string> text) {
    return [text = std::move(text)](Writer& writer) {
        if (text)
            writer.string(*text);
        else
            writer.nil();
    };
}

lua::Push push_calendar(std::string id) {
    return [id = std::move(id)](Writer& writer) {
        writer.begin_table(0, 1);
        writer.field("id", id);
    };
}

lua::Push push_window(calendar::Window window) {
    return [start = format_rfc3339(window.start),
            finish = format_rfc3339(window.finish)](Writer& writer) {
        writer.begin_table(0, 2);
        writer.field("start", start);
        writer.field("finish", finish);
    };
}

std::optional<std::string> maybe_text(const Reader& table, std::string_view name) {
    const auto text = table.string_field(name);
    return text.empty() ? std::nullopt : std::optional(std::string(text));
}

int line_in(std::string_view details, std::string_view chunk) {
    const auto place = fmt::format("{}:", chunk);
    for (auto at = details.find(place); at != details.npos; at = details.find(place, at + 1)) {
        const auto* digits = details.data() + at + place.size();
        int line = 0;
        std::from_chars(digits, details.data() + details.size(), line);
        if (line > 0) return line;
    }
    return 0;
}

std::string first_line(std::string_view details, std::string_view chunk) {
    const auto what = details.substr(0, details.find('\n'));
    const int line = line_in(details, chunk);
    if (line == 0 || line_in(what, chunk) > 0) return std::string(what);
    return fmt::format("{}:{}: {}", chunk, line, what);
}

Provider::Provider(ProviderSource source, Environment environment)
    : source_(std::move(source)),
      environment_(environment),
      breakers_(source_.name, environment.clock) {}

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
    const auto account = access.account() == nullptr ? std::string() : access.connection_id();
    if (auto admitted = breakers_.admit(account); !admitted) co_return fail(admitted.error());
    const auto lua_function = state_->member(table_, function);
    if (!lua_function.is_set())
        co_return fail(ErrorCode::unsupported,
                       fmt::format("{} does not offer {}", info_.title, function));
    // The Lua object holds it weakly: `ctx.http` ends with this call.
    const auto http = std::make_shared<HttpCall>(
        HttpCall{environment_.transport, environment_.clock, environment_.timers,
                 environment_.random, info_, access, lanes_});
    arguments.insert(arguments.begin(),
                     context(make_http_object(*state_, http), changes, access.account()));
    auto outcome = co_await state_->call(lua_function, std::move(arguments), kCallBudget,
                                         [&](std::span<const Reader> results) -> Result<void> {
                                             return read_first(function, results, read);
                                         });
    breakers_.report(account, outcome ? lua::Overrun::none : outcome.error().overrun);
    if (outcome) co_return Result<void>{};
    co_return fail(report(outcome.error(), function, access.connection_id()));
}

Error Provider::report(const lua::Failure& failure, std::string_view function,
                       std::string_view connection_id) {
    if (failure.is_bug || failure.overrun != lua::Overrun::none) {
        fault_ = first_line(failure.traceback, source_.chunk_name);
        log::error("plugin failed", {{"plugin", source_.name},
                                     {"function", function},
                                     {"connection_id", connection_id},
                                     {"traceback", failure.traceback}});
    }
    return failure.error;
}

bool Provider::offers(std::string_view function) const {
    return state_->member(table_, function).is_set();
}

}  // namespace calhost::plugin
