#include "plugin/script_files.h"

#include <fmt/format.h>

#include <fstream>
#include <sstream>

#include "plugin/provider_parts.h"

namespace calhost::plugin {

std::optional<std::string> read_file(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) return std::nullopt;
    std::ostringstream text;
    text << file.rdbuf();
    return std::move(text).str();
}

config::Complaint script_complaint(std::string file, std::string_view chunk, const Error& error) {
    const std::string_view details = error.message;
    const int line = line_in(details, chunk);
    auto reason = details.substr(0, details.find('\n'));
    const auto place = line > 0 ? fmt::format("{}:{}: ", chunk, line) : fmt::format("{}: ", file);
    if (const auto at = reason.find(place); at != reason.npos)
        reason.remove_prefix(at + place.size());
    return {.file = std::move(file), .line = line, .key = {}, .message = std::string(reason)};
}

}  // namespace calhost::plugin
