/// Rules that never give a time, such as the 30th of February. The room's own.
#pragma once

#include "calendar/rule.h"

namespace calhost::calendar {

/// Every kind of year comes round within 28 years, or 40 across one like 2100: a rule without a
/// time in as many periods as those years have has none.
inline constexpr int kSearchYears = 40;

/// True for a MONTHLY or YEARLY rule that gives nothing in its first kSearchYears years' worth of
/// periods, read as libical reads it. libical itself would look for a time until the year 2582,
/// which takes up to two seconds and does not end at UNTIL; this looks at 15,000 days at most.
/// Not every rule by BYWEEKNO is found out.
bool is_barren(const Rule& rule, std::chrono::local_seconds start);

}  // namespace calhost::calendar
