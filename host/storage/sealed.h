/// Every sealed value of the store, whatever its table: for rotating keys.
#pragma once

#include "storage/sql.h"

namespace calhost::storage {

/// Where a sealed value is, and the row and user that it is bound to (crypto::Place).
struct SealedValue {
    std::string_view table;
    std::string_view column;
    std::string key;   ///< of its table
    std::string row;   ///< that it is bound to
    std::string user;  ///< that it is bound to; may be empty
    std::string sealed;
};

/// Values that name another key than `active_key` (those of the older form too), at most `limit` of
/// each column.
Result<std::vector<SealedValue>> list_sealed_with_other_key(Sql& sql, std::string_view active_key,
                                                            int limit);

/// Replaces the value if it did not change meanwhile. False: it did.
Result<bool> replace_sealed(Sql& sql, const SealedValue& old_value, std::string_view sealed);

/// How many sealed values name each key id ("" for the older form).
Result<std::vector<std::pair<std::string, std::int64_t>>> count_sealed_by_key(Sql& sql);

}  // namespace calhost::storage
