#include "plugin/xml.h"

#include <fmt/format.h>

#include <algorithm>
#include <pugixml.hpp>

#include "base/encoding.h"

namespace calhost::plugin {
namespace {

constexpr std::size_t kMostBytes = 10U << 20U;
constexpr std::size_t kMostElements = 200'000;
constexpr std::size_t kMostDeclared = 64;       ///< namespaces in scope at once
constexpr std::size_t kLongestNamespace = 256;  ///< an unknown one stands in every name
constexpr int kDeepest = 32;

std::unexpected<Error> refuse(std::string_view why) {
    return fail(ErrorCode::invalid_response, fmt::format("The XML {}.", why));
}

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

bool is_namespace(std::string_view attribute) {
    return attribute == "xmlns" || attribute.starts_with("xmlns:");
}

class Reader {
  public:
    explicit Reader(const Namespaces& namespaces) {
        for (const auto& [prefix, uri] : namespaces) prefixes_.emplace(uri, prefix);
    }
    Result<void> read(const pugi::xml_node& from, Element& into, int depth);

  private:
    Result<void> declare(const pugi::xml_node& node);
    [[nodiscard]] std::string name_of(std::string_view qualified) const;
    Result<void> read_content(const pugi::xml_node& from, Element& into, int depth);

    std::map<std::string, std::string, std::less<>> prefixes_;               ///< namespace → prefix
    std::vector<std::pair<std::string_view, std::string_view>> declared_{};  ///< innermost last
    std::size_t elements_ = 0;
};

Result<void> Reader::declare(const pugi::xml_node& node) {
    for (const auto& attribute : node.attributes()) {
        const std::string_view name = attribute.name();
        if (!is_namespace(name)) continue;
        if (declared_.size() == kMostDeclared) return refuse("declares too many namespaces");
        const std::string_view uri = attribute.value();
        if (uri.size() > kLongestNamespace) return refuse("declares a namespace that is too long");
        declared_.emplace_back(name == "xmlns" ? std::string_view() : name.substr(6), uri);
    }
    return {};
}

std::string Reader::name_of(std::string_view qualified) const {
    const auto colon = qualified.find(':');
    const auto prefix = colon == std::string_view::npos ? "" : qualified.substr(0, colon);
    const auto local = colon == std::string_view::npos ? qualified : qualified.substr(colon + 1);
    std::string_view uri;
    for (const auto& [declared, namespace_] : declared_)
        if (declared == prefix) uri = namespace_;
    if (const auto found = prefixes_.find(uri); found != prefixes_.end())
        return fmt::format("{}:{}", found->second, local);
    return fmt::format("{{{}}}{}", uri, local);
}

Result<void> Reader::read_content(const pugi::xml_node& from, Element& into, int depth) {
    for (const auto& child : from.children()) {
        if (child.type() == pugi::node_pcdata || child.type() == pugi::node_cdata)
            into.text += child.value();
        if (child.type() != pugi::node_element) continue;
        if (auto read_it = read(child, into.children.emplace_back(), depth + 1); !read_it)
            return read_it;
    }
    return {};
}

Result<void> Reader::read(const pugi::xml_node& from, Element& into, int depth) {
    if (depth > kDeepest) return refuse("is nested too deeply");
    if (++elements_ > kMostElements) return refuse("has too many elements");
    const auto outside = declared_.size();
    if (auto declared = declare(from); !declared) return declared;
    into.name = name_of(from.name());
    for (const auto& attribute : from.attributes())
        if (!is_namespace(attribute.name()))
            into.attributes.emplace_back(attribute.name(), attribute.value());
    if (auto content = read_content(from, into, depth); !content) return content;
    declared_.resize(outside);
    return {};
}

// --- writing ---------------------------------------------------------------------------------

bool is_name_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
}

bool is_name(std::string_view name) {
    return !name.empty() && std::ranges::all_of(name, is_name_character) &&
           !(name.front() >= '0' && name.front() <= '9') && name.front() != '-' &&
           name.front() != '.';
}

/// pugixml writes control characters that no reader accepts.
std::string allowed(std::string_view text) {
    std::string out(text);
    std::erase_if(out, [](char c) { return static_cast<unsigned char>(c) < 0x20 && !is_blank(c); });
    return out;
}

Result<void> append(pugi::xml_node parent, const Element& element, const Namespaces& namespaces,
                    int depth) {
    const std::string_view name = element.name;
    const auto colon = name.find(':');
    const bool has_prefix = colon != std::string_view::npos;
    if (depth > kDeepest || !is_name(has_prefix ? name.substr(colon + 1) : name) ||
        (has_prefix && !namespaces.contains(name.substr(0, colon))))
        return fail(ErrorCode::invalid, fmt::format("'{}' is no element to write", name));
    auto node = parent.append_child(element.name.c_str());
    if (depth == 1)
        for (const auto& [prefix, uri] : namespaces)
            node.append_attribute(("xmlns:" + prefix).c_str()) = uri.c_str();
    for (const auto& [key, value] : element.attributes) {
        if (!is_name(key)) return fail(ErrorCode::invalid, fmt::format("'{}' is no name", key));
        node.append_attribute(key.c_str()) = allowed(value).c_str();
    }
    if (!element.text.empty())
        node.append_child(pugi::node_pcdata).set_value(allowed(element.text).c_str());
    for (const auto& child : element.children)
        if (auto done = append(node, child, namespaces, depth + 1); !done) return done;
    return {};
}

class TextWriter final : public pugi::xml_writer {
  public:
    void write(const void* data, std::size_t size) override {
        text.append(static_cast<const char*>(data), size);
    }
    std::string text;
};

}  // namespace

Result<Element> read_xml(std::string_view text, const Namespaces& namespaces) {
    if (text.size() > kMostBytes) return refuse("is larger than 10 MiB");
    if (!is_utf8(text)) return refuse("is not UTF-8");
    pugi::xml_document document;
    const auto options = pugi::parse_default | pugi::parse_doctype | pugi::parse_ws_pcdata_single;
    const auto parsed =
        document.load_buffer(text.data(), text.size(), options, pugi::encoding_utf8);
    if (!parsed) return refuse(fmt::format("is not well-formed: {}", parsed.description()));
    for (const auto& node : document.children())
        if (node.type() == pugi::node_doctype) return refuse("has a DTD, which is not read");
    Element root;
    if (auto read = Reader(namespaces).read(document.document_element(), root, 1); !read)
        return fail(read.error());
    return root;
}

Result<std::string> write_xml(const Element& root, const Namespaces& namespaces) {
    for (const auto& [prefix, uri] : namespaces)
        if (!is_name(prefix)) return fail(ErrorCode::invalid, "A prefix is no name.");
    pugi::xml_document document;
    auto declaration = document.append_child(pugi::node_declaration);
    declaration.append_attribute("version") = "1.0";
    declaration.append_attribute("encoding") = "utf-8";
    if (auto done = append(document, root, namespaces, 1); !done) return fail(done.error());
    TextWriter writer;
    document.save(writer, "", pugi::format_raw, pugi::encoding_utf8);
    return std::move(writer.text);
}

}  // namespace calhost::plugin
