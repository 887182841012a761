/// What goes into a provider's functions and comes out of them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/secret.h"
#include "calendar/event.h"
#include "net/message.h"

namespace calhost::plugin {

struct Identity {
    std::string id;  ///< the provider's, stable
    std::string email;
    std::string name;
};

struct CalendarInfo {
    std::string id;
    std::string name;
    bool is_primary = false;
    bool is_read_only = false;
    std::string color;
    std::string time_zone;
};

/// One page of what changed.
struct Changes {
    std::vector<calendar::Event> events;
    std::vector<std::string> deleted;  ///< ids
    std::vector<std::string>
        out_of_window;                  ///< ids of events that are there, but not in the window
    std::vector<std::string> whole;     ///< of series: `events` holds all overrides that they have
    std::optional<std::string> page;    ///< more to come
    std::optional<std::string> cursor;  ///< on the last page
    std::string time_zone;              ///< the calendar's, if the provider says so
    int unreadable = 0;                 ///< events left out because they make no sense; logged
    std::string unknown_zone;           ///< the first that nobody knows: it counts as UTC; logged
};

/// One page of what happens in a window: no series, none of the cancelled occurrences. Those of a
/// series carry `series_id` and `recurrence_id`.
struct Occurrences {
    std::vector<calendar::Event> events;
    std::optional<std::string> page;  ///< more to come
    std::string time_zone;            ///< the calendar's, if the provider says so
    int unreadable = 0;
};

/// What a provider holds after a write.
struct Written {
    calendar::Event event;           ///< with the provider's id and etag
    std::vector<std::string> lossy;  ///< a sentence for each thing that the provider cannot hold
};

/// Where notifications of a calendar's changes are to go.
struct ChannelRequest {
    std::string id;  ///< ours, unguessable, at most 64 characters
    Secret secret;   ///< comes back with every notification, at most 128 characters
    std::string url;
};

struct Channel {
    std::string id;        ///< the request's
    std::string resource;  ///< the provider's name for it
    Timestamp expires_at{};
};

enum class News {
    opened,   ///< the first message of a channel: nothing changed yet
    changed,  ///< pull
    missed,   ///< notifications were lost: pull
    expires,  ///< renew the channel now, the grant may need looking at too
    lost,     ///< the channel is gone: pull, and open a new one
};

/// One item of a notification; whoever sent it knows `secret`, or forged it.
struct Notice {
    std::string id;  ///< the channel's, ours
    Secret secret;   ///< compare in constant time
    News what = News::changed;
};

/// A request to a channel's address, understood.
struct Notification {
    std::optional<net::Response> reply;  ///< what to answer; none: 202 without a body
    std::vector<Notice> notices;         ///< empty for a handshake
};

}  // namespace calhost::plugin
