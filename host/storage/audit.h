/// Table `audit_log`: what happened to whom, and who did it. It only grows: nothing changes or
/// deletes a row.
#pragma once

#include "storage/sql.h"

namespace calhost::storage {

/// No mail address, no token and no text that a person wrote belongs in here.
struct AuditEntry {
    std::int64_t number = 0;  ///< its place in the log; given when it is written
    Timestamp at{};
    std::string action;          ///< "connection.created", "user.signed_in", …
    std::string actor;           ///< "user:<id>", "application:<id>", "operator" or "host"
    std::string user_id;         ///< whom it is about; may be empty
    std::string subject;         ///< id of what it is about, such as a connection
    std::string details = "{}";  ///< a JSON object
    std::string request_id;      ///< of the HTTP call, if there was one
};

/// In the transaction of the change that it tells of.
Result<void> write_audit(Sql& sql, const AuditEntry& entry);

/// What a list has; an empty member means any.
struct AuditFilter {
    std::string user_id;
    std::string action;
    std::optional<std::int64_t> before{};  ///< only entries with a smaller number
};
/// Newest first.
Result<std::vector<AuditEntry>> list_audit(Sql& sql, const AuditFilter& filter, int limit);

}  // namespace calhost::storage
