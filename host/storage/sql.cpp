#include "storage/sql.h"

namespace calhost::storage {

std::optional<std::string> Row::maybe_string(int column) const {
    if (is_null(column)) return std::nullopt;
    return string(column);
}

std::optional<Timestamp> Row::maybe_time(int column) const {
    if (is_null(column)) return std::nullopt;
    return time(column);
}

}  // namespace calhost::storage
