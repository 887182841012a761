#include <fmt/format.h>

#include <cstdlib>
#include <fstream>

#include "config/settings.h"
#include "config/variables.h"

namespace calhost::config {
namespace {

constexpr int kMaxDepth = 32;

bool is_variable_name(std::string_view name) {
    constexpr std::string_view kFirst = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";
    return !name.empty() && kFirst.find(name.front()) != std::string_view::npos &&
           std::ranges::all_of(name, [&](char c) {
               return (c >= '0' && c <= '9') || kFirst.find(c) != std::string_view::npos;
           });
}

/// Recursive descent over text in which `${A:-default}` may stand in a default.
class Expander {
  public:
    Expander(std::string_view text, const Environment& environment)
        : rest_(text), environment_(&environment) {}

    /// `is_used` is false in a default that is not needed: there, unset variables are no mistake.
    Result<std::string> expand(bool is_used, int depth) {
        std::string out;
        while (!rest_.empty()) {
            if (depth > 0 && rest_.front() == '}') return out;
            if (!rest_.starts_with("${")) {
                out += rest_.front();
                rest_.remove_prefix(1);
                continue;
            }
            auto value = expand_one(is_used, depth + 1);
            if (!value) return value;
            out += *value;
        }
        if (depth > 0) return unclosed();
        return out;
    }

  private:
    static std::unexpected<Error> unclosed() {
        return fail(ErrorCode::misconfigured,
                    "has a ${ that is not closed; write ${NAME} or ${NAME:-default}");
    }

    Result<std::string> expand_one(bool is_used, int depth) {
        rest_.remove_prefix(2);
        const auto end = rest_.find_first_of(":}");
        if (end == std::string_view::npos || depth > kMaxDepth) return unclosed();
        const std::string name(rest_.substr(0, end));
        rest_.remove_prefix(end);
        const bool has_default = rest_.starts_with(":-");
        if (!is_variable_name(name) || (rest_.front() == ':' && !has_default))
            return fail(ErrorCode::misconfigured,
                        "has a ${…} that names no variable; write ${NAME} or ${NAME:-default}");
        auto value = (*environment_)(name);
        if (has_default) {
            rest_.remove_prefix(2);
            const bool is_missing = !value || value->empty();
            auto otherwise = expand(is_used && is_missing, depth);
            if (!otherwise) return otherwise;
            if (is_missing) value = std::move(*otherwise);
        }
        rest_.remove_prefix(1);  // the '}' at which both ways end
        if (!value && is_used)
            return fail(ErrorCode::misconfigured,
                        fmt::format("needs the variable {}, which is not set; set it in the "
                                    "environment or in the file .env beside this one",
                                    name));
        return value.value_or("");
    }

    std::string_view rest_;
    const Environment* environment_;
};

std::string_view trim(std::string_view text) {
    constexpr std::string_view kSpace = " \t\r";
    const auto first = text.find_first_not_of(kSpace);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

/// What stands between quotes and is followed by nothing but a comment, or nothing.
std::optional<std::string> read_quoted(std::string_view text) {
    const char quote = text.front();
    std::string value;
    for (std::size_t at = 1; at < text.size(); ++at) {
        if (text[at] == quote) {
            const auto tail = trim(text.substr(at + 1));
            if (!tail.empty() && !tail.starts_with('#')) return std::nullopt;
            return value;
        }
        const bool is_escape = quote == '"' && text[at] == '\\' && at + 1 < text.size();
        if (is_escape) ++at;
        value += is_escape && text[at] == 'n' ? '\n' : text[at];
    }
    return std::nullopt;
}

std::string_view cut_comment(std::string_view text) {
    for (std::size_t at = text.find('#'); at != std::string_view::npos; at = text.find('#', at + 1))
        if (at == 0 || text[at - 1] == ' ' || text[at - 1] == '\t') return text.substr(0, at);
    return text;
}

/// One line that is neither empty nor a comment.
std::optional<std::pair<std::string, std::string>> read_assignment(std::string_view line) {
    if (line.starts_with("export ")) line = trim(line.substr(7));
    const auto equals = line.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    const auto name = trim(line.substr(0, equals)), text = trim(line.substr(equals + 1));
    if (!is_variable_name(name)) return std::nullopt;
    if (text.empty() || (text.front() != '"' && text.front() != '\''))
        return std::pair(std::string(name), std::string(trim(cut_comment(text))));
    auto value = read_quoted(text);
    if (!value) return std::nullopt;
    return std::pair(std::string(name), std::move(*value));
}

}  // namespace

Result<std::string> expand_variables(std::string_view text, const Environment& environment) {
    return Expander(text, environment).expand(true, 0);
}

Result<std::map<std::string, std::string>> read_env_file(const std::filesystem::path& file) {
    std::ifstream stream(file);
    if (!stream)
        return fail(ErrorCode::misconfigured, fmt::format("{} cannot be read", file.string()));
    std::map<std::string, std::string> variables;
    std::string text;
    for (int number = 1; std::getline(stream, text); ++number) {
        const auto line = trim(text);
        if (line.empty() || line.starts_with('#')) continue;
        auto assignment = read_assignment(line);
        if (!assignment)
            return fail(ErrorCode::misconfigured,
                        fmt::format("{}:{}: this line is not NAME=value", file.string(), number));
        variables.insert_or_assign(std::move(assignment->first), std::move(assignment->second));
    }
    return variables;
}

Result<Environment> make_environment(const std::filesystem::path& file) {
    std::map<std::string, std::string> variables;
    const auto beside = file.parent_path() / ".env";
    std::error_code ignored;
    if (std::filesystem::exists(beside, ignored)) {
        auto read = read_env_file(beside);
        if (!read) return fail(read.error());
        variables = std::move(*read);
    }
    return [variables](const std::string& name) -> std::optional<std::string> {
        if (const char* value = std::getenv(name.c_str())) return value;
        const auto found = variables.find(name);
        if (found == variables.end()) return std::nullopt;
        return found->second;
    };
}

}  // namespace calhost::config
