#include "storage/store.h"

#include <fmt/format.h>
#include <boost/asio/async_result.hpp>

#include <stdexcept>

#include "storage/file_lock.h"
#include "storage/migrations.h"
#include "storage/writer.h"

namespace calhost::storage {
namespace {

class SqliteDatabase final : public Database {
  public:
    SqliteDatabase(Writer& writer, std::unique_ptr<SqliteConnection> reader, Executor executor)
        : writer_(&writer),
          reader_(std::move(reader)),
          channel_(std::make_shared<Channel>(executor)) {
        writer_->attach(channel_);
    }
    SqliteDatabase(const SqliteDatabase&) = delete;
    SqliteDatabase& operator=(const SqliteDatabase&) = delete;
    ~SqliteDatabase() override {
        writer_->detach(channel_);
        channel_->listeners.clear();  // notices that are posted already find nobody
    }

    // The handler's cancellation slot stays unconnected: a write that was begun is awaited, since
    // the writer uses what the coroutine holds.
    Task<Result<void>> write(Write work) override {
        auto submit = [this, &work](auto handler) {
            writer_->submit({.work = &work,
                             .channel = channel_,
                             .done = std::move(handler),
                             .guard = boost::asio::make_work_guard(channel_->executor)});
        };
        co_return co_await boost::asio::async_initiate<const decltype(use_task)&,
                                                       void(Result<void>)>(submit, use_task);
    }

    [[nodiscard]] bool takes_writes() const override { return writer_->takes_writes(); }

    Sql& reader() override { return *reader_; }

    void on_change(std::function<void(const Change&)> listener) override {
        channel_->listeners.push_back(std::move(listener));
    }

  private:
    Writer* writer_;
    std::unique_ptr<SqliteConnection> reader_;
    std::shared_ptr<Channel> channel_;
};

class SqliteStore final : public Store {
  public:
    SqliteStore(FileLock lock, std::filesystem::path file,
                std::unique_ptr<SqliteConnection> connection, bool is_inline, int version)
        : lock_(std::move(lock)),
          file_(std::move(file)),
          writer_(std::move(connection), is_inline),
          version_(version) {}

    std::unique_ptr<Database> database(Executor executor) override {
        auto reader = SqliteConnection::open(file_, SqliteConnection::Role::reader);
        if (!reader) throw std::runtime_error(reader.error().message);
        return std::make_unique<SqliteDatabase>(writer_, std::move(*reader), executor);
    }
    int schema_version() override { return version_; }
    void close() override { writer_.close(); }

  private:
    FileLock lock_;  // let go last
    std::filesystem::path file_;
    Writer writer_;
    int version_;
};

/// The file's one name, so that a link to it does not get round the lock.
Result<std::filesystem::path> real_path(const std::filesystem::path& file) {
    std::error_code code;
    const auto absolute = std::filesystem::absolute(file, code);
    if (!code) std::filesystem::create_directories(absolute.parent_path(), code);
    if (!code) {
        auto real = std::filesystem::weakly_canonical(absolute, code);
        if (!code) return real;
    }
    return fail(ErrorCode::unavailable,
                fmt::format("Cannot make the folder of {}: {}. Name another one with --data.",
                            file.string(), code.message()));
}

}  // namespace

Result<std::unique_ptr<Store>> Store::open(StoreOptions options) {
    auto file = real_path(options.file);
    if (!file) return fail(std::move(file.error()));
    auto lock = FileLock::take(*file);
    if (!lock) return fail(std::move(lock.error()));
    if (auto made = make_private_file(*file); !made) return fail(std::move(made.error()));
    using enum SqliteConnection::Role;
    auto connection = SqliteConnection::open(*file, options.is_durable ? writer : careless_writer);
    if (!connection) return fail(std::move(connection.error()));
    auto version = migrate(**connection);
    if (!version) return fail(std::move(version.error()));
    return std::make_unique<SqliteStore>(std::move(*lock), std::move(*file), std::move(*connection),
                                         options.is_inline, *version);
}

Result<StoreOptions> parse_storage_url(std::string_view url,
                                       const std::filesystem::path& data_folder) {
    const auto colon = url.find(':');
    const auto scheme = url.substr(0, colon);
    if (scheme != "sqlite" || colon == std::string_view::npos)
        return fail(ErrorCode::misconfigured,
                    fmt::format("storage.url begins with \"{}\", and calhost has only the driver "
                                "\"sqlite\" so far. Write sqlite:calhost.db.",
                                colon == std::string_view::npos ? "" : scheme));
    auto path = url.substr(colon + 1);
    if (path.starts_with("//")) path.remove_prefix(2);  // sqlite:///var/lib/calhost.db
    if (path.empty() || path == "/" || path == ":memory:")
        return fail(ErrorCode::misconfigured,
                    "storage.url names no file. Write sqlite:calhost.db, or an absolute path.");
    return StoreOptions{.file = data_folder / path};
}

}  // namespace calhost::storage
