#include "simulation/invariants/nothing_in_the_clear.h"

#include <fmt/format.h>

#include <fstream>
#include <sstream>
#include <utility>

#include "base/log.h"

namespace calhost::simulation {

NothingInTheClear::NothingInTheClear(Scene& scene) : Invariant(scene) {
    log::configure(log::Level::debug, log::Format::json);
    // The worlds are loud where they are broken on purpose, so nobody else hears it.
    log::set_sink([this](std::string_view line) { (log_ += line) += '\n'; }, log::Echo::off);
}

NothingInTheClear::~NothingInTheClear() { log::set_sink({}); }

void NothingInTheClear::look_everywhere() {
    look_into("the log", std::exchange(log_, {}));
    for (const auto& entry : std::filesystem::directory_iterator(host().folder.path())) {
        std::ifstream file(entry.path(), std::ios::binary);
        std::ostringstream bytes;
        bytes << file.rdbuf();
        look_into(entry.path().filename(), bytes.view());
    }
    // A long value is cut into pages, so the columns are read as well.
    look_into("the columns", columns());
}

void NothingInTheClear::look_into(const std::string& where, std::string_view text) {
    for (const auto& secret : scene_->known.secrets())
        if (text.contains(secret))
            return violated(fmt::format("nothing in the clear: a secret of {} characters is in {}",
                                        secret.size(), where));
}

std::string NothingInTheClear::columns() {
    std::vector<std::pair<std::string, std::string>> names;
    test::must(host().sql().query(
        "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c "
        "WHERE m.type = 'table' AND c.type = 'TEXT'",
        {}, [&](const storage::Row& row) { names.emplace_back(row.string(0), row.string(1)); }));
    std::string all;
    for (const auto& [table, column] : names)
        test::must(host().sql().query(fmt::format("SELECT {} FROM {}", column, table), {},
                                      [&](const storage::Row& row) {
                                          all += row.text(0);
                                          all += '\n';
                                      }));
    if (names.empty()) violated("nothing in the clear: there are no columns to look into");
    return all;
}

}  // namespace calhost::simulation
