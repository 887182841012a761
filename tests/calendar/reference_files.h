/// Calendars of other programs, which lie beside the repository.
#pragma once

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>

namespace calhost::calendar::test {

/// Where they are; nothing, having said so, where there are none.
inline std::optional<std::filesystem::path> reference_folder() {
    const char* given = std::getenv("CALHOST_SHARED");
    const std::filesystem::path root = given != nullptr ? given : CALHOST_SOURCE_DIR "/../shared";
    if (std::filesystem::exists(root / "calendars")) return root / "calendars";
    MESSAGE("skipped: no reference calendars at " << (root / "calendars").string());
    return std::nullopt;
}

inline std::string text_of(const std::filesystem::path& file) {
    std::ostringstream text;
    text << std::ifstream(file, std::ios::binary).rdbuf();
    return text.str();
}

}  // namespace calhost::calendar::test
