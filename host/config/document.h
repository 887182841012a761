/// The YAML text as a tree that knows its lines; the only file of the house that yaml-cpp is in is
/// document.cpp.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/settings.h"

namespace calhost::config {

struct Member;

struct Node {
    enum class Kind { null, scalar, list, mapping };
    Kind kind = Kind::null;
    std::string text;      ///< of a scalar, variables not yet put in
    bool is_plain = true;  ///< written without quotes, so it may be a number, true or false
    std::vector<Node> items;
    std::vector<Member> members;  ///< in the file's order, no name twice
    int line = 0;                 ///< from 1, or `kOverrideLine`

    [[nodiscard]] const Member* find(std::string_view name) const;
};

struct Member {
    std::string name;
    int line = 0;
    Node value;
};

/// The line of what came by `--set`.
inline constexpr int kOverrideLine = -1;

/// `parent.name`, or `name` at the top.
std::string join_key(std::string_view parent, std::string_view name);

/// Reads one document. Names that stand twice become complaints; the first one counts.
/// *Errors*: misconfigured, with file and line: no YAML, several documents, deeper than 32 levels,
/// more than 10,000 nodes (aliases counted as often as they are used).
Result<Node> parse_document(std::string_view text, const std::string& file,
                            std::vector<Complaint>& complaints);

/// Puts `key=value` over the tree. A value in brackets or braces is read as YAML, any other as the
/// text it is. *Errors*: misconfigured.
Result<void> apply_override(Node& root, std::string_view assignment);

}  // namespace calhost::config
