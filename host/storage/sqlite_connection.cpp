#include "storage/sqlite_connection.h"

#include <SQLiteCpp/Column.h>
#include <fmt/format.h>
#include <sqlite3.h>

#include <stdexcept>

#include "storage/sqlite_error.h"

namespace calhost::storage {
namespace {

constexpr int kBusyMillis = 5000;
constexpr int kWriterCacheKib = 16 * 1024;
/// Pages of the log before a checkpoint: it writes a page once, however often that changed.
constexpr int kPagesOfLog = 4000;
/// Of what a savepoint may have to undo, in memory, at one piece; bookings that wait together went
/// over the 64 KiB that SQLite has without being told, and then to a file. Less than 128 KiB:
/// SQLite writes no piece of that size to the file (it masks the length), and says that the disk is
/// full.
constexpr int kSavepointBytes = 120 * 1024;

class SqliteRow final : public Row {
  public:
    explicit SqliteRow(const SQLite::Statement& statement) : statement_(&statement) {}
    [[nodiscard]] bool is_null(int column) const override {
        return statement_->isColumnNull(column);
    }
    [[nodiscard]] std::int64_t integer(int column) const override {
        return statement_->getColumn(column).getInt64();
    }
    [[nodiscard]] std::string_view text(int column) const override {
        const SQLite::Column value = statement_->getColumn(column);
        const char* bytes = value.getText();  // before getBytes, which counts what this made
        return {bytes, static_cast<std::size_t>(value.getBytes())};
    }

  private:
    const SQLite::Statement* statement_;
};

/// SQLite counts every allocation under one lock, and nobody reads the counts. What a savepoint
/// may have to undo goes to a file only when it is big.
void configure_library() {
    [[maybe_unused]] static const int done =
        sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0) |
        sqlite3_config(SQLITE_CONFIG_STMTJRNL_SPILL, kSavepointBytes);
}

Error error_of(const SQLite::Exception& thrown) {
    return sqlite_error(thrown.getExtendedErrorCode(), thrown.what());
}

}  // namespace

SqliteConnection::Prepared::Prepared(SQLite::Database& database, const std::string& sql)
    : statement(database, sql) {
    const int count = statement.getBindParameterCount();
    for (int i = 1; i <= count; ++i)
        places.push_back(statement.getIndex(fmt::format("${}", i).c_str()));
    texts.resize(places.size());
}

void SqliteConnection::Prepared::bind(Parameters parameters) {
    // One too few would run with what the last run left there.
    if (parameters.size() != places.size())
        throw std::logic_error(fmt::format("{} parameters for a statement that takes {}: {}",
                                           parameters.size(), places.size(), statement.getQuery()));
    std::size_t i = 0;
    for (const Parameter& parameter : parameters) {
        bind_one(places[i], texts[i], parameter);
        ++i;
    }
}

void SqliteConnection::Prepared::bind_one(int place, std::string& text,
                                          const Parameter& parameter) {
    const auto& value = parameter.get();
    if (const auto* number = std::get_if<std::int64_t>(&value)) {
        statement.bind(place, *number);
    } else if (const auto* view = std::get_if<std::string_view>(&value)) {
        text.assign(*view);
        statement.bindNoCopy(place, text);
    } else {
        statement.bind(place);
    }
}

/// Takes a statement out of the cache and puts it back reset, so that a row callback may run the
/// same SQL again (on a second copy).
class SqliteConnection::Use {
  public:
    Use(SqliteConnection& owner, std::string_view sql) : slot_(find_slot(owner, sql)) {
        prepared_ = std::move(slot_->second);
        if (prepared_ == nullptr)
            prepared_ = std::make_unique<Prepared>(owner.database_, slot_->first);
    }
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;
    ~Use() {
        prepared_->statement.tryReset();
        if (slot_->second == nullptr) slot_->second = std::move(prepared_);
    }
    Prepared& operator*() { return *prepared_; }

  private:
    using Slot = decltype(SqliteConnection::prepared_)::value_type;
    static Slot* find_slot(SqliteConnection& owner, std::string_view sql) {
        const auto found = owner.prepared_.find(sql);
        if (found != owner.prepared_.end()) return &*found;
        return &*owner.prepared_.emplace(sql, nullptr).first;
    }

    Slot* slot_;  // stays where it is when the map grows
    std::unique_ptr<Prepared> prepared_;
};

SqliteConnection::SqliteConnection(const std::filesystem::path& file, Role role)
    : database_(file.string(),
                role == Role::reader ? SQLite::OPEN_READONLY | SQLite::OPEN_NOMUTEX
                                     : SQLite::OPEN_READWRITE | SQLite::OPEN_NOMUTEX,
                kBusyMillis),
      is_writer_(role != Role::reader) {
    configure(role);
}

void SqliteConnection::configure(Role role) {
    database_.exec("PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON");
    if (role == Role::reader) {
        database_.exec("PRAGMA wal_autocheckpoint=0");
        sqlite3_db_config(database_.getHandle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
        return;
    }
    database_.exec("PRAGMA journal_mode=WAL");
    // A big sync in one write must not spill; the memory is taken only when it is needed.
    database_.exec(fmt::format("PRAGMA cache_size=-{}", kWriterCacheKib));
    database_.exec(fmt::format("PRAGMA wal_autocheckpoint={}", kPagesOfLog));
    database_.exec(role == Role::writer ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=OFF");
}

Result<std::unique_ptr<SqliteConnection>> SqliteConnection::open(const std::filesystem::path& file,
                                                                 Role role) {
    configure_library();
    try {
        return std::unique_ptr<SqliteConnection>(new SqliteConnection(file, role));
    } catch (const SQLite::Exception& thrown) {
        return fail(error_of(thrown));
    }
}

Result<std::int64_t> SqliteConnection::execute(std::string_view sql, Parameters parameters) {
    const int before = database_.getTotalChanges();
    auto done = query(sql, parameters, [](const Row&) {});
    if (!done) return fail(std::move(done.error()));
    // getChanges still tells of the last statement when this one changes no rows by its kind.
    return database_.getTotalChanges() == before ? 0 : database_.getChanges();
}

Result<void> SqliteConnection::query(std::string_view sql, Parameters parameters,
                                     const std::function<void(const Row&)>& each) {
    try {
        Use use(*this, sql);
        (*use).bind(parameters);
        SQLite::Statement& statement = (*use).statement;
        const SqliteRow row(statement);
        for (;;) {
            const int code = statement.tryExecuteStep();
            if (code == SQLITE_DONE) return {};
            if (code != SQLITE_ROW)
                return fail(
                    sqlite_error(database_.getExtendedErrorCode(), database_.getErrorMsg()));
            each(row);
        }
    } catch (const SQLite::Exception& thrown) {
        return fail(error_of(thrown));
    }
}

void SqliteConnection::notify(Change change) {
    if (!is_writer_) throw std::logic_error("only a write may tell of a change");
    changes_.push_back(std::move(change));
}

Result<void> SqliteConnection::run_script(const std::string& script) {
    try {
        database_.exec(script);
        return {};
    } catch (const SQLite::Exception& thrown) {
        return fail(error_of(thrown));
    }
}

bool SqliteConnection::is_in_transaction() const {
    return sqlite3_get_autocommit(database_.getHandle()) == 0;
}

}  // namespace calhost::storage
