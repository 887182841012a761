/// What the audit log hears of connections.
#pragma once

#include <boost/json/object.hpp>
#include <string>

#include "storage/audit.h"
#include "storage/connections.h"

namespace calhost::connect {

/// `details` are words of the host's own. Without the account's address.
storage::AuditEntry audit_entry(Timestamp at, std::string_view action,
                                const storage::Connection& connection, std::string actor,
                                boost::json::object details = {});

/// The person whose connection it is did it.
std::string owner_of(const storage::Connection& connection);

}  // namespace calhost::connect
