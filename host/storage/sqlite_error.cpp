#include "storage/sqlite_error.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include "base/log.h"

namespace calhost::storage {
namespace {

/// "users.email_key" of "UNIQUE constraint failed: users.email_key".
std::string_view after_colon(std::string_view detail) {
    const auto colon = detail.find(": ");
    return colon == std::string_view::npos ? detail : detail.substr(colon + 2);
}

Error constraint_error(int code, std::string_view detail) {
    switch (code) {
        case SQLITE_CONSTRAINT_UNIQUE:
        case SQLITE_CONSTRAINT_PRIMARYKEY:
        case SQLITE_CONSTRAINT_ROWID:
            return {ErrorCode::already_exists,
                    fmt::format("The store holds such a row already ({}).", after_colon(detail))};
        case SQLITE_CONSTRAINT_FOREIGNKEY:
            return {ErrorCode::conflict, "The row that this one belongs to is gone."};
        default:
            return {ErrorCode::invalid, fmt::format("The store refused a value ({}).", detail)};
    }
}

}  // namespace

Error sqlite_error(int code, std::string_view detail) {
    switch (code & 0xff) {
        case SQLITE_CONSTRAINT:
            return constraint_error(code, detail);
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
        case SQLITE_FORMAT:
            return {ErrorCode::invalid_response,
                    fmt::format("The store's file is damaged ({}). Stop the host and put a backup "
                                "in its place.",
                                detail)};
        case SQLITE_FULL:
            return {ErrorCode::unavailable,
                    "The disk is full, so the store kept nothing of this change. Free some space "
                    "and try again."};
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            return {ErrorCode::unavailable,
                    "Another program holds the store locked. Try again, or close that program."};
        case SQLITE_IOERR:
        case SQLITE_CANTOPEN:
        case SQLITE_READONLY:
        case SQLITE_PERM:
        case SQLITE_AUTH:
        case SQLITE_NOMEM:
        case SQLITE_INTERRUPT:
        case SQLITE_PROTOCOL:
        case SQLITE_NOLFS:
            return {ErrorCode::unavailable,
                    fmt::format("The store cannot be read or written ({}). Look at its disk and "
                                "at the rights of its folder.",
                                detail)};
        default:
            // A statement that SQLite does not understand is a bug of ours: it must be seen.
            log::error("a statement failed", {{"code", code}, {"detail", detail}});
            return {ErrorCode::invalid, fmt::format("The store refused a statement ({}).", detail)};
    }
}

}  // namespace calhost::storage
