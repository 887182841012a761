#include "plugin/plugin.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "plugin/modules.h"
#include "plugin/provider_parts.h"
#include "plugin/script_files.h"

namespace calhost::plugin {
namespace {

using lua::Reader;
using lua::Writer;

/// As a rule has: a template is called for each person of each booking.
constexpr lua::Budget kTemplateBudget{.instructions = 2'000'000,
                                      .slice = 2'000'000,
                                      .deadline = milliseconds{20},
                                      .pattern_steps = 100'000};

/// Its requests may be slow; a hook that hangs is cut, and its job tried again.
constexpr lua::Budget kHookBudget{.instructions = 200'000'000, .deadline = milliseconds{120'000}};

/// `require("host.config")`: the plugin's section without its secrets.
void add_config(lua::State& state, const boost::json::object& values) {
    state.add_module("host.config", [&values](lua::Table& table) {
        for (const auto& member : values)
            table.value(member.key(), [&member](Writer& writer) { writer.json(member.value()); });
    });
}

Result<void> read_texts(const Reader& answer, boost::json::object& texts) {
    if (!answer.is_table()) return fail(ErrorCode::invalid, "a template must return a table");
    Result<void> outcome;
    answer.each_field([&](std::string_view name, const Reader& value) {
        if (value.is_nil()) return;
        if (value.type() == lua::Type::string)
            texts[name] = value.string();
        else
            outcome = fail(ErrorCode::invalid, fmt::format("{} must be a text", name));
    });
    return outcome;
}

Task<Result<void>> nothing_to_do() { co_return Result<void>{}; }

const config::Complaint* first_error(const std::vector<config::Complaint>& complaints) {
    const auto found = std::ranges::find_if(complaints, &config::Complaint::is_error);
    return found == complaints.end() ? nullptr : &*found;
}

}  // namespace

Plugin::Plugin(const InstalledPlugin& installed, Environment environment)
    : source_(installed.source),
      environment_(environment),
      breaker_(source_.name, environment.clock) {}

Result<std::unique_ptr<Plugin>> Plugin::load(const InstalledPlugin& installed,
                                             Environment environment, storage::Database& database,
                                             Powers& powers) {
    std::unique_ptr<Plugin> plugin(new Plugin(installed, environment));
    if (auto loaded = plugin->load_script(installed, database, powers); !loaded)
        return fail(loaded.error());
    return plugin;
}

Result<void> Plugin::load_script(const InstalledPlugin& installed, storage::Database& database,
                                 Powers& powers) {
    auto state = lua::State::create({.name = source_.name, .timers = &environment_.timers},
                                    environment_.clock);
    if (!state) return fail(state.error());
    state_ = std::move(*state);
    add_modules(*state_, environment_.clock);
    add_config(*state_, without_secrets(installed.schema, installed.values));
    auto loaded = state_->load(source_.chunk_name, source_.code);
    if (!loaded)
        return fail(
            ErrorCode::misconfigured,
            fmt::format("{} does not load: {}", source_.chunk_name, loaded.error().traceback));
    table_ = *loaded;
    ReadPlugin read;
    state_->look(table_, [&](const Reader& table) { read = read_plugin(source_, table); });
    std::ranges::move(check_against_script(installed, read.info),
                      std::back_inserter(read.complaints));
    if (const auto* mistake = first_error(read.complaints))
        return fail(ErrorCode::misconfigured, mistake->to_string());
    info_ = std::move(read.info);
    for (const auto& [name, every] : installed.schedules)
        if (every)
            info_.schedules[name] = *every;
        else
            info_.schedules.erase(name);
    context_ = std::make_unique<PluginContext>(*state_, installed, environment_, database, powers);
    return {};
}

lua::Ref Plugin::function(std::string_view table, std::string_view name) {
    return state_->member(state_->member(table_, table), name);
}

Result<std::optional<boost::json::object>> Plugin::render(
    std::string_view name, const std::vector<boost::json::object>& arguments) {
    std::optional<boost::json::object> texts;
    if (!info_.templates.contains(name)) return texts;
    if (auto admitted = breaker_.admit(); !admitted) return fail(admitted.error());
    std::vector<lua::Push> pushes;
    for (const auto& argument : arguments)
        pushes.emplace_back([&argument](Writer& writer) { writer.json(argument); });
    const auto outcome = state_->call_now(function("templates", name), pushes, kTemplateBudget,
                                          [&](std::span<const Reader> results) -> Result<void> {
                                              if (results.empty() || results.front().is_nil())
                                                  return {};
                                              return read_texts(results.front(), texts.emplace());
                                          });
    breaker_.report(outcome ? lua::Overrun::none : outcome.error().overrun);
    if (outcome) return texts;
    auto error = report(outcome.error(), fmt::format("templates.{}", name));
    // People who write templates read this in `calhost plan`.
    if (outcome.error().is_bug || outcome.error().overrun != lua::Overrun::none)
        error.message = first_line(outcome.error().traceback, source_.chunk_name);
    return fail(std::move(error));
}

Task<Result<void>> Plugin::run_hook(std::string hook, boost::json::object event) {
    if (!info_.hooks.contains(hook)) return nothing_to_do();  // an older one had it
    return run(
        "hooks." + hook, function("hooks", hook),
        {context_->push(), [told = std::move(event)](Writer& writer) { writer.json(told); }});
}

Task<Result<void>> Plugin::run_schedule(std::string name) {
    if (!info_.schedules.contains(name)) return nothing_to_do();
    return run("schedules." + name, state_->member(function("schedules", name), "run"),
               {context_->push()});
}

Task<Result<void>> Plugin::run(std::string name, lua::Ref function,
                               std::vector<lua::Push> arguments) {
    if (auto admitted = breaker_.admit(); !admitted) co_return fail(admitted.error());
    const auto outcome =
        co_await state_->call(function, std::move(arguments), kHookBudget, nullptr);
    breaker_.report(outcome ? lua::Overrun::none : outcome.error().overrun);
    if (outcome) co_return Result<void>{};
    auto error = report(outcome.error(), name);
    // A bug does the same again.
    if (outcome.error().overrun == lua::Overrun::deadline)
        error.code = ErrorCode::timeout;
    else if (outcome.error().is_bug || outcome.error().overrun != lua::Overrun::none)
        error.code = ErrorCode::invalid;
    if (error.retry_after && !is_transient(error.code)) error.code = ErrorCode::unavailable;
    co_return fail(std::move(error));
}

Error Plugin::report(const lua::Failure& failure, std::string_view function) {
    if (failure.is_bug || failure.overrun != lua::Overrun::none)
        log::error(
            "plugin failed",
            {{"plugin", source_.name}, {"function", function}, {"traceback", failure.traceback}});
    return failure.error;
}

std::vector<config::Complaint> check_plugin(const InstalledPlugin& installed,
                                            Environment environment) {
    const auto& source = installed.source;
    auto state = lua::State::create({.name = source.name}, environment.clock);
    if (!state) return {{.file = source.chunk_name, .message = state.error().message}};
    add_modules(**state, environment.clock);
    add_config(**state, without_secrets(installed.schema, installed.values));
    const auto loaded = (*state)->load(source.chunk_name, source.code);
    if (!loaded)
        return {script_complaint(source.chunk_name, source.chunk_name,
                                 {ErrorCode::misconfigured, loaded.error().traceback})};
    ReadPlugin read;
    (*state)->look(*loaded, [&](const Reader& table) { read = read_plugin(source, table); });
    std::ranges::move(check_against_script(installed, read.info),
                      std::back_inserter(read.complaints));
    return std::move(read.complaints);
}

}  // namespace calhost::plugin
