#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "config/reader.h"
#include "config/values.h"

namespace calhost::config {
namespace {

using boost::json::value;

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> words) {
    return std::ranges::find(words, text) != words.end();
}

template <class T, class... Base>
std::optional<T> read_number(std::string_view text, Base... base) {
    T number{};
    const auto* const begin = text.data();
    const auto* const end = begin + text.size();
    const auto [stop, error] = std::from_chars(begin, end, number, base...);
    if (error != std::errc{} || stop != end) return std::nullopt;
    return number;
}

/// A number of YAML 1.2's core schema (section 10.3.2); what JSON cannot hold stays text.
std::optional<value> read_core_number(std::string_view text) {
    if (text.starts_with("0x") || text.starts_with("0o")) {
        const auto number = read_number<std::int64_t>(text.substr(2), text[1] == 'x' ? 16 : 8);
        if (!number || *number < 0) return std::nullopt;
        return value(*number);
    }
    auto digits = text.starts_with('+') ? text.substr(1) : text;
    if (digits.find_first_not_of("0123456789.eE+-") != std::string_view::npos) return std::nullopt;
    if (text.starts_with('+') && digits.starts_with('-')) return std::nullopt;
    if (const auto number = read_number<std::int64_t>(digits)) return value(*number);
    const auto number = read_number<double>(digits);
    if (!number || !std::isfinite(*number)) return std::nullopt;
    return value(*number);
}

value read_plain(const std::string& text) {
    if (is_one_of(text, {"true", "True", "TRUE"})) return true;
    if (is_one_of(text, {"false", "False", "FALSE"})) return false;
    if (auto number = read_core_number(text)) return std::move(*number);
    return value(text);
}

/// Walks one section; `path` is relative to it.
class SectionReader {
  public:
    SectionReader(Context& context, std::string key, Section& section)
        : context_(&context), key_(std::move(key)), section_(&section) {}

    value read(const Node& node, const std::string& path) {
        switch (node.kind) {
            case Node::Kind::null:
                return nullptr;
            case Node::Kind::scalar:
                return read_scalar(node, path);
            case Node::Kind::list:
                return read_list(node, path);
            case Node::Kind::mapping:
                return read_mapping(node, path);
        }
        return nullptr;
    }

    boost::json::object read_mapping(const Node& node, const std::string& path) {
        boost::json::object out;
        for (const auto& member : node.members) {
            const auto inner = join_key(path, member.name);
            note(inner, member.line);
            out[member.name] = read(member.value, inner);
        }
        return out;
    }

  private:
    value read_list(const Node& node, const std::string& path) {
        boost::json::array out;
        for (std::size_t i = 0; i < node.items.size(); ++i) {
            const auto inner = fmt::format("{}[{}]", path, i);
            note(inner, node.items[i].line);
            out.push_back(read(node.items[i], inner));
        }
        return out;
    }

    value read_scalar(const Node& node, const std::string& path) {
        const auto text = context_->expand(node, join_key(key_, path));
        if (!text) return nullptr;
        const bool has_variable = node.text.find("${") != std::string::npos;
        return node.is_plain && !has_variable ? read_plain(*text) : value(*text);
    }

    void note(const std::string& path, int line) {
        section_->lines[path] = line == kOverrideLine ? 0 : line;
    }

    Context* context_;
    std::string key_;
    Section* section_;
};

}  // namespace

Section read_section(Context& context, const Node& node, const std::string& key) {
    Section section;
    section.file = context.file;
    if (node.kind == Node::Kind::mapping) {
        section.values = SectionReader(context, key, section).read_mapping(node, "");
    } else if (node.kind != Node::Kind::null) {
        context.complain(node.line, key, "must be a section of keys");
    }
    return section;
}

}  // namespace calhost::config
