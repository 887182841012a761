#include "plugin/source_line.h"

#include <algorithm>
#include <cctype>

namespace calhost::plugin {
namespace {

bool is_name_character(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

/// The line gives `name` a value: "name =", or a function of that name.
bool defines(std::string_view line, std::string_view name) {
    line = line.substr(0, line.find("--"));
    for (auto at = line.find(name); at != line.npos; at = line.find(name, at + 1)) {
        if (at > 0 && is_name_character(line[at - 1])) continue;
        auto rest = line.substr(at + name.size());
        if (!rest.empty() && is_name_character(rest.front())) continue;
        rest.remove_prefix(std::min(rest.find_first_not_of(" \"']"), rest.size()));
        if (rest.starts_with('=') && !rest.starts_with("==")) return true;
        if (rest.starts_with('(') && line.substr(0, at).contains("function")) return true;
    }
    return false;
}

/// The first line, not before `from`, that defines `name`; 0: none.
int find_definition(std::string_view code, std::string_view name, int from) {
    int number = 0;
    while (!code.empty()) {
        const auto end = std::min(code.find('\n'), code.size());
        if (++number >= from && defines(code.substr(0, end), name)) return number;
        code.remove_prefix(std::min(end + 1, code.size()));
    }
    return 0;
}

}  // namespace

int line_of(std::string_view code, std::span<const std::string_view> path) {
    int line = 0;
    for (const auto name : path) {
        const int found = find_definition(code, name, line);
        if (found == 0) return line;
        line = found;
    }
    return line;
}

}  // namespace calhost::plugin
