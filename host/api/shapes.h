/// The shapes of http-api: how connections, events and calendars look outside, older names
/// included.
#pragma once

#include <boost/json/object.hpp>

#include "base/json_text.h"
#include "calendar/event.h"
#include "plugin/provider_info.h"
#include "storage/connections.h"
#include "storage/events.h"

namespace calhost::api {

/// The time, or null.
boost::json::value time_or_null(const std::optional<Timestamp>& when);

boost::json::object connection_shape(const storage::Connection& connection);
boost::json::object calendar_shape(const storage::CalendarRow& calendar);
/// An event is written as text at once: a sync answers thousands.
void write_event(json::TextWriter& out, const calendar::Event& event,
                 const storage::Connection& connection);
boost::json::object provider_shape(const plugin::ProviderInfo& provider);

/// The whole answer of GET /api/calendar/status.
boost::json::object status_shape(std::string_view user_id,
                                 const std::vector<storage::Connection>& connections);

}  // namespace calhost::api
