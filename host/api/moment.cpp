#include "api/moment.h"

#include <fmt/format.h>

#include "calendar/zone.h"

namespace calhost::api {
namespace {

constexpr Timestamp kEnd = std::chrono::sys_days(std::chrono::year{9999} / 12 / 31);

/// The hour before belongs to the same wall-clock time when clocks went back.
bool happens_twice(std::chrono::local_seconds local, Timestamp when, std::string_view zone) {
    for (const auto shift : {std::chrono::minutes{60}, std::chrono::minutes{30}}) {
        const auto later = calendar::to_local(when + shift, zone);
        if (later && *later == local) return true;
    }
    return false;
}

std::string doubt_about(std::chrono::local_seconds local, Timestamp when, std::string_view zone) {
    const auto there = calendar::to_local(when, zone);
    if (there && *there != local)
        return fmt::format("{} does not exist in {}, where clocks go forward; it was taken as {}.",
                           calendar::format_local(local), zone, calendar::format_local(*there));
    if (happens_twice(local, when, zone))
        return fmt::format("{} happens twice in {}, where clocks go back; the first was taken.",
                           calendar::format_local(local), zone);
    return {};
}

}  // namespace

std::optional<Moment> read_moment(std::string_view text, std::string_view zone) {
    if (const auto when = parse_rfc3339(text)) {
        if (*when >= kEnd) return std::nullopt;
        return Moment{*when, {}};
    }
    const auto local = calendar::parse_local(text);
    if (!local || zone.empty()) return std::nullopt;
    const auto when = calendar::to_instant(*local, zone);
    if (!when || *when >= kEnd) return std::nullopt;
    return Moment{*when, doubt_about(*local, *when, zone)};
}

}  // namespace calhost::api
