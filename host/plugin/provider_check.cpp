#include "plugin/provider_check.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <span>
#include <tuple>

#include "base/json.h"
#include "config/values.h"
#include "plugin/modules.h"
#include "plugin/source_line.h"

namespace calhost::plugin {
namespace {

enum class Shape { text, url, flag, count, version, table, list, texts, word_list, word_lists };

struct Member {
    std::string_view name;
    Shape shape;
};

constexpr std::array kTable{Member{"id", Shape::text},
                            Member{"title", Shape::text},
                            Member{"api", Shape::version},
                            Member{"base_url", Shape::url},
                            Member{"can", Shape::table},
                            Member{"auth", Shape::table},
                            Member{"throttled", Shape::word_lists}};

constexpr std::array kCan{Member{"incremental", Shape::flag},
                          Member{"windowed_feed", Shape::flag},
                          Member{"push", Shape::flag},
                          Member{"chosen_id", Shape::flag},
                          Member{"quiet_attendees", Shape::flag},
                          Member{"reminders", Shape::count},
                          Member{"reminder_methods", Shape::word_list},
                          Member{"recurrence_limits", Shape::word_list},
                          Member{"conditional_writes", Shape::flag},
                          Member{"in_flight", Shape::count},
                          Member{"max_page", Shape::count}};

constexpr std::array kAuth{
    Member{"kind", Shape::text},         Member{"authorize", Shape::url},
    Member{"token", Shape::url},         Member{"revoke", Shape::url},
    Member{"userinfo", Shape::url},      Member{"issuer", Shape::url},
    Member{"parameters", Shape::texts},  Member{"identity_scopes", Shape::word_list},
    Member{"scopes", Shape::word_lists}, Member{"covers", Shape::word_lists},
    Member{"fields", Shape::list},       Member{"presets", Shape::list}};

constexpr std::array<std::string_view, 3> kKinds{"oauth2", "basic", "form"};

constexpr std::array<std::string_view, 15> kFunctions{
    "discover",     "identity",      "list_calendars", "list_changes",      "list_events",
    "busy",         "get_event",     "create_event",   "update_event",      "delete_event",
    "open_channel", "renew_channel", "close_channel",  "read_notification", "classify_token_error"};

bool is_text(const json::value& value) { return value.is_string() && !value.get_string().empty(); }

/// An empty Lua table is a list as well as a map.
bool is_empty_table(const json::value& value) {
    return (value.is_array() && value.get_array().empty()) ||
           (value.is_object() && value.get_object().empty());
}

bool is_word_list(const json::value& value) {
    return is_empty_table(value) ||
           (value.is_array() && std::ranges::all_of(value.get_array(), is_text));
}

/// A table that gives each name a value of one kind.
bool is_map_of(const json::value& value, bool (*is_good)(const json::value&)) {
    const auto* members = value.if_object();
    return is_empty_table(value) ||
           (members != nullptr && std::ranges::all_of(*members, [&](const auto& member) {
                return is_good(member.value());
            }));
}

/// What a value of this shape must be, or empty when it is.
std::string_view fault_of(const json::value& value, Shape shape) {
    const auto unless = [](bool is_good, std::string_view must) {
        return is_good ? std::string_view() : must;
    };
    const auto is_count = value.is_int64() && value.get_int64() >= 0;
    switch (shape) {
        case Shape::text:
            return unless(is_text(value), "must be a text");
        case Shape::url:
            return unless(is_text(value) && (value.get_string().starts_with("https://") ||
                                             value.get_string().starts_with("http://")),
                          "must be an address such as \"https://api.example.com/v1\"");
        case Shape::flag:
            return unless(value.is_bool(), "must be true or false");
        case Shape::count:
            return unless(is_count, "must be a whole number, 0 or more");
        case Shape::version:
            return unless(value.is_int64() && value.get_int64() == 1,
                          "must be 1, the author API of this host");
        case Shape::table:
            return unless(is_empty_table(value) || value.is_object(),
                          "must be a table of names and values");
        case Shape::list:
            return unless(is_empty_table(value) || value.is_array(), "must be a list");
        case Shape::texts:
            return unless(is_map_of(value, is_text), "must give each name a text");
        case Shape::word_list:
            return unless(is_word_list(value), "must be a list of texts, such as { \"a\" }");
        case Shape::word_lists:
            return unless(is_map_of(value, is_word_list),
                          "must give each name a list of texts, such as { full = { \"a\" } }");
    }
    return {};
}

/// "auth.token" as the names that are nested.
std::vector<std::string_view> split(std::string_view key) {
    std::vector<std::string_view> names;
    while (!key.empty()) {
        const auto dot = std::min(key.find('.'), key.size());
        names.push_back(key.substr(0, dot));
        key.remove_prefix(std::min(dot + 1, key.size()));
    }
    return names;
}

/// Collects what is wrong with one table.
class TableCheck {
  public:
    TableCheck(const ProviderSource& source, const json::object& data)
        : source_(source), data_(data) {}

    void check_values() {
        check_members("", data_, kTable);
        if (const auto* can = table("can")) check_members("can", *can, kCan);
        if (const auto* auth = table("auth")) check_members("auth", *auth, kAuth);
        need("id");
        need("title");
        need("api");
        need("auth");
        const auto id = json::text_of(data_, "id");
        if (!id.empty() && id != source_.name)
            complain("id", fmt::format("is \"{}\", but the folder is {}; name both alike", id,
                                       source_.name));
        check_sign_in();
    }

    void check_function(std::string_view name) {
        if (std::ranges::find(kFunctions, name) != kFunctions.end()) return;
        const auto meant = config::closest(name, kFunctions);
        if (meant.empty())
            complain(name, "is no function that the host calls; make it local", false);
        else
            complain(name, fmt::format("is no function of a provider; did you mean {}?", meant));
    }

    void complain(std::string_view key, std::string message, bool is_error = true) {
        complaints_.push_back({.file = source_.chunk_name,
                               .line = line_of(source_.code, split(key)),
                               .key = std::string(key),
                               .message = std::move(message),
                               .is_error = is_error});
    }

    std::vector<config::Complaint> take() {
        std::ranges::sort(complaints_, {}, [](const config::Complaint& complaint) {
            return std::tie(complaint.line, complaint.key);
        });
        return std::move(complaints_);
    }

  private:
    [[nodiscard]] const json::object* table(std::string_view name) const {
        static const json::object kEmpty;
        const auto* found = data_.if_contains(name);
        if (found == nullptr) return nullptr;
        return is_empty_table(*found) ? &kEmpty : found->if_object();
    }

    void check_members(std::string_view path, const json::object& members,
                       std::span<const Member> known) {
        for (const auto& [name, value] : members) {
            const auto key = path.empty() ? std::string(name)
                                          : fmt::format("{}.{}", path, std::string_view(name));
            const auto found = std::ranges::find(known, std::string_view(name), &Member::name);
            if (found == known.end())
                complain_unknown(key, name, known);
            else if (const auto fault = fault_of(value, found->shape); !fault.empty())
                complain(key, std::string(fault));
        }
    }

    void complain_unknown(std::string_view key, std::string_view name,
                          std::span<const Member> known) {
        std::vector<std::string_view> words;
        for (const auto& member : known) words.push_back(member.name);
        complain(key, fmt::format("is not known here; {}", config::suggestion(name, words)));
    }

    /// "auth.token" must be there.
    void need(std::string_view key, std::string_view why = "is missing") {
        if (is_told(key)) return;
        const json::value* value = nullptr;
        const auto dot = key.find('.');
        if (dot == key.npos)
            value = data_.if_contains(key);
        else if (const auto* inner = table(key.substr(0, dot)))
            value = inner->if_contains(key.substr(dot + 1));
        if (value == nullptr) complain(key, std::string(why));
    }

    [[nodiscard]] bool is_told(std::string_view key) const {
        return std::ranges::find(complaints_, key, &config::Complaint::key) != complaints_.end();
    }

    /// What `auth.kind` asks for.
    void check_sign_in() {
        const auto* auth = table("auth");
        if (auth == nullptr) return;
        const auto given = json::text_of(*auth, "kind");
        if (!given.empty() && std::ranges::find(kKinds, given) == kKinds.end())
            return complain("auth.kind", fmt::format("must be one of {}", fmt::join(kKinds, ", ")));
        if (!given.empty() && given != "oauth2") return;
        constexpr std::string_view kNeeded = "is missing; a sign-in of kind oauth2 needs it";
        for (const auto* key : {"base_url", "auth.authorize", "auth.token", "auth.scopes"})
            need(key, kNeeded);
        const auto* scopes = auth->if_contains("scopes");
        if (scopes != nullptr && fault_of(*scopes, Shape::word_lists).empty() &&
            json::find(*scopes, "full") == nullptr)
            complain("auth.scopes", "needs a list `full`: what is asked for to read and write");
    }

    const ProviderSource& source_;
    const json::object& data_;
    std::vector<config::Complaint> complaints_;
};

}  // namespace

std::vector<config::Complaint> check_provider(const ProviderSource& source, const Clock& clock) {
    auto state = lua::State::create({.name = source.name}, clock);
    if (!state) return {};
    add_modules(**state, clock);
    const auto loaded = (*state)->load(source.chunk_name, source.code);
    if (!loaded) return {};
    std::vector<config::Complaint> complaints;
    (*state)->look(*loaded, [&](const lua::Reader& reader) {
        if (!reader.is_table()) return;
        json::object data;
        TableCheck check(source, data);
        reader.each_field([&](std::string_view name, const lua::Reader& member) {
            if (member.type() == lua::Type::function) return check.check_function(name);
            auto value = member.json();
            if (!value)
                return check.complain(
                    name, fmt::format("cannot be read as data: {}", value.error().message));
            data[name] = std::move(*value);
        });
        check.check_values();
        complaints = check.take();
    });
    return complaints;
}

}  // namespace calhost::plugin
