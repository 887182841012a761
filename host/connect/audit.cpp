#include "connect/audit.h"

#include <boost/json/serialize.hpp>

namespace calhost::connect {

storage::AuditEntry audit_entry(Timestamp at, std::string_view action,
                                const storage::Connection& connection, std::string actor,
                                boost::json::object details) {
    details["provider"] = connection.provider;
    details["account"] = connection.account;
    return {.at = at,
            .action = std::string(action),
            .actor = std::move(actor),
            .user_id = connection.user_id,
            .subject = connection.id,
            .details = boost::json::serialize(details)};
}

std::string owner_of(const storage::Connection& connection) { return "user:" + connection.user_id; }

}  // namespace calhost::connect
