#include "plugin/plugin_info.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "config/values.h"
#include "plugin/source_line.h"

namespace calhost::plugin {
namespace {

using lua::Reader;
using lua::Type;

constexpr std::array<std::string_view, 8> kMembers{"id",        "title", "api",       "needs",
                                                   "templates", "hooks", "schedules", "routes"};
constexpr std::array<std::string_view, 2> kScheduleMembers{"every", "run"};
constexpr std::array<std::string_view, 7> kRouteMembers{"method", "path",       "summary", "who",
                                                        "scope",  "body_limit", "handler"};
constexpr std::array<std::string_view, 5> kMethods{"GET", "POST", "PUT", "PATCH", "DELETE"};
constexpr std::array<std::string_view, 4> kCallers{"open", "user", "application", "admin"};
constexpr std::int64_t kMostBody = 1 << 20;

/// Reads the table and collects what is wrong in it.
class TableReader {
  public:
    explicit TableReader(const PluginSource& source) : source_(source) {}

    ReadPlugin read(const Reader& table) {
        if (!table.is_table()) {
            complain({}, "returns no table; its last line is `return M`");
            return std::move(read_);
        }
        table.each_field([&](std::string_view name, const Reader& member) {
            if (std::ranges::find(kMembers, name) == kMembers.end()) check_unknown(name, member);
        });
        read_head(table);
        read_needs(table);
        read_functions(table, "hooks", kHooks, read_.info.hooks);
        read_functions(table, "templates", kTemplates, read_.info.templates);
        table.with_field("schedules", [&](const Reader& schedules) {
            if (schedules.is_nil()) return;
            if (!schedules.is_table()) return complain({"schedules"}, "must be a table of tables");
            schedules.each_field([&](std::string_view name, const Reader& item) {
                read_schedule(std::string(name), item);
            });
        });
        table.with_field("routes", [&](const Reader& routes) {
            if (routes.is_nil()) return;
            if (!routes.is_table()) return complain({"routes"}, "must be a list of tables");
            routes.each_item([&](std::int64_t number, const Reader& item) {
                read_route(static_cast<int>(number), item);
            });
        });
        std::ranges::sort(read_.complaints, {}, [](const config::Complaint& complaint) {
            return std::tie(complaint.line, complaint.key);
        });
        return std::move(read_);
    }

  private:
    using Path = std::initializer_list<std::string_view>;

    void complain(Path path, std::string message, bool is_error = true) {
        read_.complaints.push_back({.file = source_.chunk_name,
                                    .line = line_of(source_.code, {path.begin(), path.size()}),
                                    .key = fmt::format("{}", fmt::join(path, ".")),
                                    .message = std::move(message),
                                    .is_error = is_error});
    }

    void check_unknown(std::string_view name, const Reader& member) {
        const bool is_function = member.type() == Type::function;
        if (is_function && config::closest(name, kMembers).empty())
            complain({name}, "is no function that the host calls; make it local", false);
        else
            complain({name},
                     fmt::format("is not known here; {}", config::suggestion(name, kMembers)));
    }

    void read_head(const Reader& table) {
        auto& info = read_.info;
        info.id = table.string_field("id");
        info.title = table.string_field("title");
        if (info.id != source_.name)
            complain({"id"}, fmt::format("must be \"{}\", as the folder is named", source_.name));
        if (info.title.empty()) complain({"title"}, "is missing: a few words for the operator");
        if (table.integer_field("api") != 1) complain({"api"}, "must be 1");
    }

    void read_needs(const Reader& table) {
        table.with_field("needs", [&](const Reader& needs) {
            if (needs.is_nil()) return;
            if (!needs.is_table())
                return complain({"needs"}, "must be a list of texts, such as { \"tokens\" }");
            needs.each_item([&](std::int64_t, const Reader& item) {
                const auto word = item.string();
                if (std::ranges::find(kGrants, word) == kGrants.end())
                    complain({"needs"}, fmt::format("'{}' is nothing that can be granted; {}", word,
                                                    config::suggestion(word, kGrants)));
                else
                    read_.info.needs.emplace(word);
            });
        });
    }

    /// A table of functions, each under one of the known names.
    void read_functions(const Reader& table, std::string_view member,
                        std::span<const std::string_view> known,
                        std::set<std::string, std::less<>>& names) {
        table.with_field(member, [&](const Reader& functions) {
            if (functions.is_nil()) return;
            if (!functions.is_table()) return complain({member}, "must be a table of functions");
            functions.each_field([&](std::string_view name, const Reader& function) {
                if (std::ranges::find(known, name) == known.end())
                    complain({member, name}, fmt::format("there is no such one; {}",
                                                         config::suggestion(name, known)));
                else if (function.type() != Type::function)
                    complain({member, name}, "must be a function");
                else
                    names.emplace(name);
            });
        });
    }

    void read_schedule(const std::string& name, const Reader& item) {
        const auto wrong = [&](std::string message) {
            complain({"schedules", name}, std::move(message));
        };
        if (!config::is_name(name)) return wrong("must be named with letters, digits, '-' and '_'");
        if (!item.is_table())
            return wrong("must be { every = \"15m\", run = function(ctx) … end }");
        item.each_field([&](std::string_view member, const Reader&) {
            if (std::ranges::find(kScheduleMembers, member) == kScheduleMembers.end())
                wrong(fmt::format("has the unknown member {}; {}", member,
                                  config::suggestion(member, kScheduleMembers)));
        });
        const auto every =
            config::parse_duration(item.string_field("every"), kOftenestSchedule, kRarestSchedule);
        if (!every) wrong(fmt::format("every {}", every.error().message));
        item.with_field("run", [&](const Reader& run) {
            if (run.type() != Type::function) wrong("needs a function `run`");
        });
        if (every) read_.info.schedules.emplace(name, *every);
    }

    void read_route(int number, const Reader& item) {
        const auto wrong = [&](std::string_view what) {
            complain({"routes"}, fmt::format("number {} {}", number, what));
        };
        if (!item.is_table()) return wrong("is no table");
        PluginRoute route{.number = number};
        route.method = item.string_field("method");
        route.path = item.string_field("path");
        route.summary = item.string_field("summary");
        route.who = item.string_field("who");
        route.scope = item.string_field("scope");
        item.each_field([&](std::string_view name, const Reader&) {
            if (std::ranges::find(kRouteMembers, name) == kRouteMembers.end())
                wrong(fmt::format("has the unknown member {}; {}", name,
                                  config::suggestion(name, kRouteMembers)));
        });
        if (std::ranges::find(kMethods, route.method) == kMethods.end())
            wrong(fmt::format("needs a method: one of {}", fmt::join(kMethods, ", ")));
        if (std::ranges::find(kCallers, route.who) == kCallers.end())
            wrong(fmt::format("needs who may call: one of {}", fmt::join(kCallers, ", ")));
        if (route.who == "application" && route.scope.empty())
            wrong("needs the scope that an application's key must have");
        const bool is_own = route.path.starts_with(fmt::format("/plugins/{}/", source_.name));
        if (!route.path.starts_with('/'))
            wrong("needs a path");
        else if (!is_own && !read_.info.needs.contains("routes"))
            wrong(
                fmt::format("has a path outside /plugins/{}/, which needs = {{ \"routes\" }} must "
                            "ask for",
                            source_.name));
        if (const auto limit = item.integer_field("body_limit"); limit && *limit > 0)
            route.body_limit = static_cast<std::size_t>(std::min(*limit, kMostBody));
        item.with_field("handler", [&](const Reader& handler) {
            if (handler.type() != Type::function) wrong("needs a function `handler`");
        });
        read_.info.routes.push_back(std::move(route));
    }

    const PluginSource& source_;
    ReadPlugin read_;
};

}  // namespace

ReadPlugin read_plugin(const PluginSource& source, const lua::Reader& table) {
    return TableReader(source).read(table);
}

}  // namespace calhost::plugin
