/// When a person is busy: the blocks of all his connections as one list, and how well each of them
/// is known.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "calendar/busy.h"
#include "storage/connections.h"
#include "sync/homes.h"

namespace calhost::availability {

/// One connection's part. What could not be asked counts as the last sync saw it, and `error` says
/// so.
struct Source {
    storage::Connection connection;
    std::vector<calendar::Window> busy;
    bool is_live = false;            ///< the provider said so just now
    std::optional<Timestamp> as_of;  ///< none: nothing is known of this connection
    std::optional<Error> error;
};

struct Answer {
    std::vector<calendar::Window> busy;  ///< of all sources, by start, those that touch joined
    std::vector<Source> sources;
};

/// How long one provider is waited for. The others are asked meanwhile.
inline constexpr milliseconds kPatience{10'000};

/// Asks all connections at once, each on its home worker. A provider that can tell busy times is
/// asked for those of the calendars that count; of another one the calendar that is synced counts
/// as it was stored, and others are read now. Paused connections are left out. *Errors*: those of
/// the store; the first one's, when there are connections and nothing is known of any.
Task<Result<Answer>> find_busy(connect::Services& services, const sync::Homes& homes,
                               std::string user_id, calendar::Window window);

}  // namespace calhost::availability
