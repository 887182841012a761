/// What every file of table functions needs after a statement.
#pragma once

#include "storage/sql.h"

namespace calhost::storage {

/// Drops the value; the error stays.
template <class T>
Result<void> to_void(Result<T> result) {
    if (!result) return fail(std::move(result.error()));
    return {};
}

/// Whether a statement changed a row.
inline Result<bool> is_changed(Result<std::int64_t> count) {
    if (!count) return fail(std::move(count.error()));
    return *count > 0;
}

/// The same, and tells the workers if it did.
inline Result<bool> notify_if_changed(Sql& sql, Result<std::int64_t> count, Change change) {
    auto changed = is_changed(std::move(count));
    if (changed && *changed) sql.notify(std::move(change));
    return changed;
}

}  // namespace calhost::storage
