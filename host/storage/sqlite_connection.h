/// One SQLite connection as `Sql`, through SQLiteCpp.
#pragma once

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

#include <filesystem>
#include <memory>
#include <unordered_map>

#include "storage/sql.h"

namespace calhost::storage {

/// *Thread*: one at a time.
class SqliteConnection final : public Sql {
  public:
    /// Only the writer checkpoints: in SQLite 3.40 two connections that checkpoint and write at
    /// once can lose a WAL reset.
    enum class Role { reader, writer, careless_writer /* does not wait for the disk */ };

    /// *Errors*: as Sql.
    static Result<std::unique_ptr<SqliteConnection>> open(const std::filesystem::path& file,
                                                          Role role);

    Result<std::int64_t> execute(std::string_view sql, Parameters parameters = {}) override;
    Result<void> query(std::string_view sql, Parameters parameters,
                       const std::function<void(const Row&)>& each) override;
    void notify(Change change) override;

    /// Several statements without parameters, such as a migration's. Nothing is kept prepared.
    Result<void> run_script(const std::string& script);
    /// False also after SQLite rolled back by itself, as it does when the disk is full.
    [[nodiscard]] bool is_in_transaction() const;
    /// Rows that this connection has changed since it was opened.
    [[nodiscard]] std::int64_t total_changes() const { return database_.getTotalChanges(); }
    /// Where `notify` puts its notices; the writer's.
    std::vector<Change>& changes() { return changes_; }

  private:
    /// A statement with its parameters' places and a copy of its texts, which SQLite reads from.
    struct Prepared {
        Prepared(SQLite::Database& database, const std::string& sql);
        void bind(Parameters parameters);
        void bind_one(int place, std::string& text, const Parameter& parameter);

        SQLite::Statement statement;
        std::vector<int> places;  ///< of $1, $2, …: SQLite numbers them by first appearance
        std::vector<std::string> texts;
    };
    class Use;
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const {
            return std::hash<std::string_view>{}(text);
        }
    };

    SqliteConnection(const std::filesystem::path& file, Role role);
    void configure(Role role);

    SQLite::Database database_;
    std::unordered_map<std::string, std::unique_ptr<Prepared>, Hash, std::equal_to<>> prepared_;
    std::vector<Change> changes_;
    bool is_writer_;
};

}  // namespace calhost::storage
