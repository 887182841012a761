/// A real store on a real file, for the tests of every room that keeps something. Include it only
/// where the storage room is linked.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>

#include "storage/store.h"
#include "support/virtual_time.h"

namespace calhost::test {

/// A fresh folder that goes with the object.
class TempFolder {
  public:
    TempFolder() {
        std::string name = (std::filesystem::temp_directory_path() / "calhost-XXXXXX").string();
        if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
        path_ = name;
    }
    TempFolder(const TempFolder&) = delete;
    TempFolder& operator=(const TempFolder&) = delete;
    ~TempFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
};

/// The value, or a failed test that says why.
template <class T>
T must(Result<T> result) {
    if (!result) throw std::runtime_error(result.error().message);
    if constexpr (!std::is_void_v<T>) return std::move(*result);
}

/// An inline store with one Database on the virtual loop: writes happen where they are awaited.
/// *Ownership*: goes before the VirtualTime and its io_context.
class TestStore {
  public:
    explicit TestStore(VirtualTime& time) : time_(&time) { open(); }

    storage::Database& database() { return *database_; }
    storage::Store& store() { return *store_; }
    [[nodiscard]] std::filesystem::path file() const { return folder_.path() / "calhost.db"; }

    /// Runs one write to its end; for setting a scene.
    template <class T>
    T write(std::function<Result<T>(storage::Sql&)> work) {
        if constexpr (std::is_void_v<T>) {
            must(time_->wait(database_->write(std::move(work))));
        } else {
            return must(time_->wait(database_->write_for<T>(std::move(work))));
        }
    }

    /// What a crash leaves: everything in memory goes, the file stays.
    void reopen() {
        database_.reset();
        store_.reset();
        open();
    }

  private:
    void open() {
        store_ =
            must(storage::Store::open({.file = file(), .is_inline = true, .is_durable = false}));
        database_ = store_->database(time_->executor());
    }

    VirtualTime* time_;
    TempFolder folder_;
    std::unique_ptr<storage::Store> store_;
    std::unique_ptr<storage::Database> database_;
};

}  // namespace calhost::test
