#include "storage/audit.h"

#include <limits>

#include "storage/changed.h"

namespace calhost::storage {
namespace {

#define ENTRY_COLUMNS "at, action, actor, user_id, subject, details, request_id"
#define SELECT_ENTRIES "SELECT number, " ENTRY_COLUMNS " FROM audit_log WHERE number < $1"
#define NEWEST_FIRST " ORDER BY number DESC LIMIT $2"

AuditEntry read_entry(const Row& row) {
    return {.number = row.integer(0),
            .at = row.time(1),
            .action = row.string(2),
            .actor = row.string(3),
            .user_id = row.string(4),
            .subject = row.string(5),
            .details = row.string(6),
            .request_id = row.string(7)};
}

}  // namespace

Result<void> write_audit(Sql& sql, const AuditEntry& entry) {
    return to_void(sql.execute("INSERT INTO audit_log (" ENTRY_COLUMNS
                               ") VALUES ($1, $2, $3, $4, $5, $6, $7)",
                               {entry.at, entry.action, entry.actor, entry.user_id, entry.subject,
                                entry.details, entry.request_id}));
}

// A statement for each filter, so that each has its index.
Result<std::vector<AuditEntry>> list_audit(Sql& sql, const AuditFilter& filter, int limit) {
    const auto before = filter.before.value_or(std::numeric_limits<std::int64_t>::max());
    const auto& user = filter.user_id;
    const auto& action = filter.action;
    if (!user.empty() && !action.empty())
        return sql.all(SELECT_ENTRIES " AND user_id = $3 AND action = $4" NEWEST_FIRST,
                       {before, limit, user, action}, read_entry);
    if (!user.empty())
        return sql.all(SELECT_ENTRIES " AND user_id = $3" NEWEST_FIRST, {before, limit, user},
                       read_entry);
    if (!action.empty())
        return sql.all(SELECT_ENTRIES " AND action = $3" NEWEST_FIRST, {before, limit, action},
                       read_entry);
    return sql.all(SELECT_ENTRIES NEWEST_FIRST, {before, limit}, read_entry);
}

#undef ENTRY_COLUMNS
#undef SELECT_ENTRIES
#undef NEWEST_FIRST

}  // namespace calhost::storage
