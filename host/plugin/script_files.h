/// What finding providers and plugins on disk has in common. Nobody outside the room includes this.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "config/settings.h"

namespace calhost::plugin {

/// Nothing for a file that cannot be read.
std::optional<std::string> read_file(const std::filesystem::path& path);

/// "x.lua does not load: x.lua:3: why" and a traceback become the complaint "why" about line 3.
config::Complaint script_complaint(std::string file, std::string_view chunk, const Error& error);

}  // namespace calhost::plugin
