/// Statements, without saying which engine runs them. SQL is the portable subset of SQLite and
/// PostgreSQL: `$1` parameters, ON CONFLICT … RETURNING, integer milliseconds, integer booleans.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace calhost::storage {

/// A parameter. Text is not copied: it lives at least as long as the call.
class Parameter {
  public:
    Parameter(std::nullptr_t) {}
    Parameter(std::string_view text) : value_(text) {}
    Parameter(const std::string& text) : value_(std::string_view(text)) {}
    Parameter(const char* text) : value_(std::string_view(text)) {}
    Parameter(bool flag) : value_(std::int64_t{flag ? 1 : 0}) {}
    Parameter(Timestamp when) : value_(to_millis(when)) {}
    template <std::integral T>
    Parameter(T number) : value_(static_cast<std::int64_t>(number)) {}
    template <class T>
    Parameter(const std::optional<T>& maybe) {
        if (maybe) value_ = Parameter(*maybe).value_;
    }

    [[nodiscard]] const std::variant<std::monostate, std::int64_t, std::string_view>& get() const {
        return value_;
    }

  private:
    std::variant<std::monostate, std::int64_t, std::string_view> value_;
};
using Parameters = std::initializer_list<Parameter>;

/// The row under the cursor; valid until the callback that got it returns.
class Row {
  public:
    virtual ~Row() = default;
    [[nodiscard]] virtual bool is_null(int column) const = 0;
    [[nodiscard]] virtual std::int64_t integer(int column) const = 0;
    [[nodiscard]] virtual std::string_view text(int column) const = 0;

    [[nodiscard]] std::string string(int column) const { return std::string(text(column)); }
    [[nodiscard]] bool boolean(int column) const { return integer(column) != 0; }
    [[nodiscard]] Timestamp time(int column) const { return from_millis(integer(column)); }
    [[nodiscard]] std::optional<std::string> maybe_string(int column) const;
    [[nodiscard]] std::optional<Timestamp> maybe_time(int column) const;
};

/// A row changed; posted to every worker after commit, so that what it remembers is dropped.
struct Change {
    std::string table;
    std::string id;
    std::string user_id;
};

/// One open view of the store. *Thread*: one at a time.
/// *Errors*: unavailable (disk full, I/O, locked), already_exists (unique), conflict (foreign key),
/// invalid_response (a damaged file). The message names the table, never a value.
class Sql {
  public:
    virtual ~Sql() = default;
    /// Runs a statement; gives the number of rows it changed.
    virtual Result<std::int64_t> execute(std::string_view sql, Parameters parameters = {}) = 0;
    /// Calls `each` for every row. Prepared statements are kept, so `sql` should be a literal.
    virtual Result<void> query(std::string_view sql, Parameters parameters,
                               const std::function<void(const Row&)>& each) = 0;
    /// Tells the workers after commit. Only inside a write.
    virtual void notify(Change change) = 0;

    /// The first row made into a T, or nothing.
    template <class T>
    Result<std::optional<T>> first(std::string_view sql, Parameters parameters,
                                   T (*make)(const Row&)) {
        std::optional<T> found;
        auto done = query(sql, parameters, [&](const Row& row) {
            if (!found) found = make(row);
        });
        if (!done) return fail(std::move(done.error()));
        return found;
    }
    /// Every row made into a T.
    template <class T>
    Result<std::vector<T>> all(std::string_view sql, Parameters parameters, T (*make)(const Row&)) {
        std::vector<T> rows;
        auto done = query(sql, parameters, [&](const Row& row) { rows.push_back(make(row)); });
        if (!done) return fail(std::move(done.error()));
        return rows;
    }
};

}  // namespace calhost::storage
