#include "plugin/rules.h"

#include <fmt/format.h>

#include <array>

#include "base/encoding.h"
#include "base/log.h"
#include "lua/function_line.h"
#include "plugin/modules.h"
#include "plugin/provider_parts.h"
#include "plugin/rule_parts.h"

namespace calhost::plugin {
namespace {

constexpr std::array kRules{"connection.redirect", "booking.filter", "booking.event",
                            "booking.reminders", "booking.deleted"};
constexpr lua::Budget kRuleBudget{.instructions = 2'000'000,
                                  .slice = 2'000'000,
                                  .deadline = milliseconds{20},
                                  .pattern_steps = 100'000};

/// Into the log with all that Lua said; gives the line for people. A value of the wrong kind has no
/// place in the script, so there it is the one where the rule begins.
std::string report(std::string_view rule, const std::string& script, int line,
                   const lua::Failure& failure) {
    const auto& details = failure.traceback.empty() ? failure.error.message : failure.traceback;
    auto what = first_line(details, script);
    if (line_in(what, script) == 0) what = fmt::format("{}:{}: {}", script, line, what);
    log::error(
        "rule failed and was passed over",
        {{"plugin", script}, {"rule", rule}, {"error", what}, {"traceback", failure.traceback}});
    return what;
}

bool has_bad_character(std::string_view text) {
    return std::ranges::any_of(text, [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte <= 0x20 || byte == 0x7f || c == '\\';
    });
}

bool has_dot_segment(std::string_view path) {
    while (!path.empty()) {
        path.remove_prefix(1);  // the slash
        const auto segment = path.substr(0, path.find('/'));
        if (segment == "." || segment == "..") return true;
        path.remove_prefix(segment.size());
    }
    return false;
}

}  // namespace

bool is_frontend_path(std::string_view path) {
    if (path.size() > 2048 || !path.starts_with('/') || path.starts_with("//")) return false;
    if (has_bad_character(path) || !is_utf8(path)) return false;
    const auto decoded = percent_decode(path.substr(0, path.find_first_of("?#")));
    if (!decoded || decoded->starts_with("//") || has_bad_character(*decoded)) return false;
    return !has_dot_segment(*decoded);
}

lua::Push push_object(const boost::json::object& object) {
    return [&object](lua::Writer& writer) { writer.json(object); };
}

struct Rules::Script {
    Script(std::string script_name, const Clock& clock)
        : name(script_name), breaker(script_name, clock) {}
    std::string name;
    Breaker breaker;
    std::unique_ptr<lua::State> state;
};

Rules::Rules() = default;
Rules::~Rules() {
    handlers_.clear();  // references into the states go before the states
}

Result<std::unique_ptr<Rules>> Rules::load(const std::vector<RuleSource>& sources,
                                           const Clock& clock) {
    auto rules = std::make_unique<Rules>();
    for (const auto& source : sources)
        if (auto loaded = rules->load_script(source, clock); !loaded) return fail(loaded.error());
    return rules;
}

Result<void> Rules::load_script(const RuleSource& source, const Clock& clock) {
    auto script = std::make_unique<Script>(source.name, clock);
    auto state = lua::State::create({.name = source.name, .memory_bytes = 16U << 20U}, clock);
    if (!state) return fail(state.error());
    script->state = std::move(*state);
    add_modules(*script->state, clock);
    script->state->add_global("rule", [&](lua::Table& table) {
        table.function("on", [this, raw = script.get()](lua::Call& call) {
            const std::string rule(call.argument(2).string());
            if (call.argument(3).type() != lua::Type::function)
                call.refuse(3, "a function is expected");
            if (std::ranges::find(kRules, rule) == kRules.end())
                call.refuse(2, fmt::format("there is no rule '{}'; there are: {}", rule,
                                           fmt::join(kRules, ", ")));
            handlers_[rule].push_back(
                {raw, raw->state->keep(call.argument(3)), lua::function_line(call.argument(3))});
        });
    });
    auto loaded = script->state->load(source.name, source.code);
    if (!loaded)
        return fail(ErrorCode::misconfigured, fmt::format("scripts/{} does not load: {}",
                                                          source.name, loaded.error().traceback));
    scripts_.push_back(std::move(script));
    return {};
}

std::vector<std::string> Rules::run(std::string_view rule, const std::vector<lua::Push>& arguments,
                                    const Accept& accept, Asked asked) {
    std::vector<std::string> failures;
    const auto handlers = handlers_.find(rule);
    if (handlers == handlers_.end()) return failures;
    for (auto& [script, function, line] : handlers->second) {
        if (auto admitted = script->breaker.admit(); !admitted) {
            failures.push_back(fmt::format("{}: {}", script->name, admitted.error().message));
            continue;
        }
        bool has_answer = false;
        const auto outcome =
            script->state->call_now(function, arguments, kRuleBudget,
                                    [&](std::span<const lua::Reader> results) -> Result<void> {
                                        if (results.empty() || results.front().is_nil()) return {};
                                        auto accepted = accept(results.front());
                                        has_answer = accepted.has_value();
                                        return accepted;
                                    });
        script->breaker.report(outcome ? lua::Overrun::none : outcome.error().overrun);
        if (!outcome) failures.push_back(report(rule, script->name, line, outcome.error()));
        if (has_answer && asked == Asked::until_answered) break;
    }
    return failures;
}

std::optional<std::string> Rules::connection_redirect(const boost::json::object& user,
                                                      const boost::json::object& connection,
                                                      const boost::json::object& flow) {
    std::optional<std::string> path;
    run("connection.redirect", {push_object(user), push_object(connection), push_object(flow)},
        [&](const lua::Reader& answer) -> Result<void> {
            if (answer.type() != lua::Type::string)
                return fail(ErrorCode::invalid,
                            "connection.redirect must return a path, or nothing");
            if (!is_frontend_path(answer.string()))
                return fail(
                    ErrorCode::invalid,
                    "connection.redirect must return a path of the frontend such as /calls");
            path = answer.string();
            return {};
        });
    return path;
}

}  // namespace calhost::plugin
