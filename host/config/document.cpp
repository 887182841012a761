#include "config/document.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>

#include "base/encoding.h"

namespace calhost::config {
namespace {

constexpr int kMaxDepth = 32;
constexpr int kMaxNodes = 10'000;

/// Turns yaml-cpp's tree into ours, which has limits that its aliases need.
class Converter {
  public:
    Converter(const std::string& file, std::vector<Complaint>& complaints)
        : file_(&file), complaints_(&complaints) {}

    Result<Node> convert(const YAML::Node& from, const std::string& key, int depth) {
        Node node;
        node.line = from.Mark().line + 1;
        if (depth > kMaxDepth || ++count_ > kMaxNodes)
            return fail(ErrorCode::misconfigured,
                        fmt::format("{}:{}: the file is nested too deeply or too large; an alias "
                                    "(*) that contains itself does this too",
                                    *file_, node.line));
        if (from.IsScalar()) {
            node.kind = Node::Kind::scalar;
            node.text = from.Scalar();
            node.is_plain = from.Tag() == "?";
        } else if (from.IsSequence()) {
            node.kind = Node::Kind::list;
            for (const auto& item : from) {
                auto converted = convert(item, key, depth + 1);
                if (!converted) return converted;
                node.items.push_back(std::move(*converted));
            }
        } else if (from.IsMap()) {
            node.kind = Node::Kind::mapping;
            for (const auto& member : from) {
                auto added = add(node, member.first, member.second, key, depth);
                if (!added) return fail(added.error());
            }
        }
        return node;
    }

  private:
    Result<void> add(Node& into, const YAML::Node& name, const YAML::Node& value,
                     const std::string& parent, int depth) {
        const int line = name.Mark().line + 1;
        if (!name.IsScalar()) {
            complaints_->push_back({*file_, line, parent, "a key must be plain text"});
            return {};
        }
        const auto key = join_key(parent, name.Scalar());
        if (const auto* first = into.find(name.Scalar())) {
            complaints_->push_back(
                {*file_, line, key,
                 fmt::format("stands here a second time (first in line {}); keep one of them",
                             first->line)});
            return {};
        }
        auto converted = convert(value, key, depth + 1);
        if (!converted) return fail(converted.error());
        into.members.push_back({name.Scalar(), line, std::move(*converted)});
        return {};
    }

    const std::string* file_;
    std::vector<Complaint>* complaints_;
    int count_ = 0;
};

int line_of(std::string_view text, std::size_t at) {
    return 1 + static_cast<int>(std::ranges::count(text.substr(0, at), '\n'));
}

/// yaml-cpp guesses other encodings from the first bytes; only UTF-8 is read here.
Result<void> check_text(std::string_view text, const std::string& file) {
    for (std::size_t at = 0; at < text.size();) {
        const auto end = std::min(text.find('\n', at), text.size());
        const auto line = text.substr(at, end - at);
        if (!is_utf8(line) || line.find('\0') != std::string_view::npos)
            return fail(ErrorCode::misconfigured,
                        fmt::format("{}:{}: this line is not UTF-8 text; save the file as UTF-8",
                                    file, line_of(text, at)));
        at = end + 1;
    }
    return {};
}

std::string explain(const std::string& problem) {
    if (problem == YAML::ErrorMsg::DOC_IN_SCALAR || problem == YAML::ErrorMsg::EOF_IN_SCALAR)
        return "a quote before this place is never closed";
    if (problem == YAML::ErrorMsg::BAD_FILE) return "it is nested too deeply";
    return problem;
}

void mark_override(Node& node) {
    node.line = kOverrideLine;
    for (auto& item : node.items) mark_override(item);
    for (auto& member : node.members) {
        member.line = kOverrideLine;
        mark_override(member.value);
    }
}

Result<Node> parse_override_value(std::string_view text) {
    // A list or a map; "[::1]:8080" is an address.
    if ((text.starts_with('[') && !text.contains("]:")) || text.starts_with('{')) {
        std::vector<Complaint> complaints;
        auto node = parse_document(text, "--set", complaints);
        if (node && !complaints.empty())
            return fail(ErrorCode::misconfigured, complaints.front().to_string());
        return node;
    }
    Node node;
    node.kind = Node::Kind::scalar;
    node.text = text;
    return node;
}

}  // namespace

const Member* Node::find(std::string_view name) const {
    const auto found = std::ranges::find(members, name, &Member::name);
    return found == members.end() ? nullptr : &*found;
}

std::string join_key(std::string_view parent, std::string_view name) {
    return parent.empty() ? std::string(name) : fmt::format("{}.{}", parent, name);
}

Result<Node> parse_document(std::string_view text, const std::string& file,
                            std::vector<Complaint>& complaints) {
    if (auto checked = check_text(text, file); !checked) return fail(checked.error());
    try {
        // Without an end mark yaml-cpp takes a quote that is never closed for the rest of the file.
        const auto documents = YAML::LoadAll(std::string(text) + "\n...\n");
        if (documents.empty()) return Node{};
        if (documents.size() > 1)
            return fail(ErrorCode::misconfigured,
                        fmt::format("{}:{}: a second document begins near here (after ---); "
                                    "everything must stand in one",
                                    file, documents[1].Mark().line + 1));
        return Converter(file, complaints).convert(documents[0], "", 0);
    } catch (const YAML::Exception& error) {
        const int last = line_of(text, text.find_last_not_of('\n') + 1);
        return fail(ErrorCode::misconfigured,
                    fmt::format("{}:{}: this is not YAML: {}", file,
                                std::min(error.mark.line + 1, last), explain(error.msg)));
    }
}

Result<void> apply_override(Node& root, std::string_view assignment) {
    const auto equals = assignment.find('=');
    if (equals == std::string_view::npos || equals == 0)
        return fail(ErrorCode::misconfigured,
                    "--set needs key=value, such as server.listen=127.0.0.1:8080");
    auto value = parse_override_value(assignment.substr(equals + 1));
    if (!value) return fail(value.error());
    mark_override(*value);
    auto* node = &root;
    for (auto path = assignment.substr(0, equals);;) {
        const auto dot = path.find('.');
        const auto name = path.substr(0, dot);
        if (name.empty())
            return fail(ErrorCode::misconfigured, "--set has an empty part in its key");
        if (node->kind != Node::Kind::mapping) *node = Node{.kind = Node::Kind::mapping};
        auto found = std::ranges::find(node->members, name, &Member::name);
        if (found == node->members.end())
            found = node->members.insert(node->members.end(),
                                         Member{std::string(name), kOverrideLine, Node{}});
        node = &found->value;
        if (dot == std::string_view::npos) {
            found->line = kOverrideLine;
            *node = std::move(*value);
            return {};
        }
        path.remove_prefix(dot + 1);
    }
}

}  // namespace calhost::config
