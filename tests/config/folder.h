/// A folder of configuration files that goes away with the test.
#pragma once

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include "config/settings.h"

namespace calhost::config::test {

class Folder {
  public:
    Folder() {
        auto pattern = (std::filesystem::temp_directory_path() / "calhost-config-XXXXXX").string();
        path_ = ::mkdtemp(pattern.data());
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() { std::filesystem::remove_all(path_); }

    std::filesystem::path write(const std::string& name, const std::string& text) const {
        std::ofstream(path_ / name, std::ios::binary) << text;
        return path_ / name;
    }
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
};

using Variables = std::map<std::string, std::string>;

inline Environment environment_of(Variables variables) {
    return [variables](const std::string& name) -> std::optional<std::string> {
        const auto found = variables.find(name);
        if (found == variables.end()) return std::nullopt;
        return found->second;
    };
}

inline const std::string kJwtSecret = "a-jwt-secret-of-at-least-32-characters";

/// Text as a whole configuration: the secrets that it lacks are added at the end.
inline std::string with_secrets(std::string text) {
    if (!text.empty() && !text.ends_with('\n')) text += '\n';
    if (("\n" + text).find("\nkeys:") == std::string::npos) text += "keys: {active: k1, k1: x}\n";
    if (("\n" + text).find("\nauth:") == std::string::npos)
        text += "auth: {jwt_secret: " + kJwtSecret + "}\n";
    return text;
}

inline Result<Loaded> load_text(const Folder& folder, const std::string& text,
                                Variables variables = {}, std::vector<std::string> overrides = {},
                                bool is_sandbox = false) {
    LoadOptions options;
    options.file = folder.write("calhost.yaml", text);
    options.overrides = std::move(overrides);
    options.environment = environment_of(std::move(variables));
    options.default_root = "/usr/share/calhost";
    options.is_sandbox = is_sandbox;
    return load(options);
}

/// Loads what must have no complaint.
inline Settings good(const Folder& folder, const std::string& text, Variables variables = {},
                     std::vector<std::string> overrides = {}) {
    auto loaded = load_text(folder, with_secrets(text), std::move(variables), std::move(overrides));
    REQUIRE(loaded.has_value());
    for (const auto& complaint : loaded->complaints) FAIL_CHECK(complaint.to_string());
    return std::move(loaded->settings);
}

}  // namespace calhost::config::test
