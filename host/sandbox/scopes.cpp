#include "sandbox/scopes.h"

#include <algorithm>
#include <array>

namespace calhost::sandbox {
namespace {

constexpr std::string_view kPrefix = "https://www.googleapis.com/auth/";

struct Known {
    std::string_view name;
    std::string_view words;
};

constexpr std::array kKnown = std::to_array<Known>({
    {"calendar", "See, edit, share and permanently delete all your calendars"},
    {"calendar.readonly", "See all your calendars and events"},
    {"calendar.events", "See and edit events on all your calendars"},
    {"calendar.events.readonly", "See events on all your calendars"},
    {"calendar.events.owned", "See and edit events on calendars you own"},
    {"calendar.events.owned.readonly", "See events on calendars you own"},
    {"calendar.events.freebusy", "See when you are busy"},
    {"calendar.events.public.readonly", "See events on public calendars"},
    {"calendar.freebusy", "See when you are busy on your calendars"},
    {"calendar.calendarlist", "See, add and remove calendars you are subscribed to"},
    {"calendar.calendarlist.readonly", "See the list of your calendars"},
    {"calendar.calendars", "See and change the properties of your calendars"},
    {"calendar.calendars.readonly", "See the properties of your calendars"},
    {"calendar.app.created", "Make secondary calendars and edit events on them"},
    {"calendar.acls", "See and change who can use your calendars"},
    {"calendar.acls.readonly", "See who can use your calendars"},
    {"calendar.settings.readonly", "See your calendar settings"},
    {"userinfo.email", "See your e-mail address"},
    {"userinfo.profile", "See your name"},
});

struct Rule {
    std::string_view method;  ///< a name, or a group that several methods share
    std::string_view scopes;  ///< names behind the prefix and "calendar", separated by blanks
};

// Facts: the reference's list of scopes for each method. "." is the scope `calendar` itself.
constexpr std::string_view kRead =
    ". .readonly .events .events.readonly .events.owned .events.owned.readonly .events.freebusy "
    ".events.public.readonly .app.created";
constexpr std::string_view kWrite = ". .events .events.owned .app.created";
constexpr std::array kRules = std::to_array<Rule>({
    {"calendarList.list", ". .readonly .calendarlist .calendarlist.readonly"},
    {"calendarList.get", ". .readonly .calendarlist .calendarlist.readonly .app.created"},
    {"calendars.get", ". .readonly .calendars .calendars.readonly .app.created"},
    {"events.list", kRead},
    {"events.get", kRead},
    {"events.instances", kRead},
    {"events.watch", kRead},
    {"events.insert", kWrite},
    {"events.import", kWrite},
    {"events.patch", kWrite},
    {"events.update", kWrite},
    {"events.delete", kWrite},
    {"events.quickAdd", kWrite},
    {"events.move", ". .events .events.owned"},
    {"freebusy.query", ". .readonly .freebusy .events.freebusy"},
    {"channels.stop",
     ". .readonly .events .events.readonly .events.owned .events.owned.readonly .events.freebusy "
     ".events.public.readonly .app.created .calendarlist .calendarlist.readonly "
     ".settings.readonly"},
    {"colors.get",
     ". .readonly .calendarlist .calendarlist.readonly .app.created .events.freebusy .events.owned "
     ".events.owned.readonly .events.public.readonly"},
    {"settings", ". .readonly .settings.readonly"},
});

}  // namespace

std::string canonical_scope(std::string_view scope) {
    if (scope == "openid") return "openid";
    if (scope == "email" || scope == "profile")
        return std::string(kPrefix) + "userinfo." + std::string(scope);
    if (!scope.starts_with(kPrefix)) return {};
    const auto name = scope.substr(kPrefix.size());
    const bool is_known = std::ranges::find(kKnown, name, &Known::name) != kKnown.end();
    return is_known ? std::string(scope) : std::string();
}

bool is_identity_scope(std::string_view canonical) {
    return canonical == "openid" || canonical.ends_with("/userinfo.email") ||
           canonical.ends_with("/userinfo.profile");
}

std::string_view describe_scope(std::string_view canonical) {
    if (canonical == "openid") return "Know who you are";
    const auto known = std::ranges::find(kKnown, canonical.substr(kPrefix.size()), &Known::name);
    return known == kKnown.end() ? canonical : known->words;
}

std::vector<std::string> split_scopes(std::string_view text) {
    std::vector<std::string> scopes;
    while (!text.empty()) {
        const auto blank = text.find(' ');
        if (blank != 0) scopes.emplace_back(text.substr(0, blank));
        if (blank == std::string_view::npos) break;
        text.remove_prefix(blank + 1);
    }
    return scopes;
}

std::string join_scopes(const Scopes& scopes) {
    std::string text;
    for (const auto& scope : scopes) text += (text.empty() ? "" : " ") + scope;
    return text;
}

bool allows(const Scopes& granted, std::string_view method) {
    const auto rule = std::ranges::find(kRules, method, &Rule::method);
    if (rule == kRules.end()) return false;
    return std::ranges::any_of(split_scopes(rule->scopes), [&](const std::string& tail) {
        return granted.contains(std::string(kPrefix) + "calendar" + (tail == "." ? "" : tail));
    });
}

}  // namespace calhost::sandbox
