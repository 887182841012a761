#include "sandbox/fields.h"

#include <boost/json.hpp>
#include <map>
#include <memory>

namespace calhost::sandbox {
namespace {

/// What to keep below one name; without children everything.
struct Mask {
    std::map<std::string, std::unique_ptr<Mask>, std::less<>> children;
};

/// Recursive descent over: list = path *("," path); path = name ["/" path | "(" list ")"].
class Reader {
  public:
    explicit Reader(std::string_view text) : rest_(text) {}

    bool read_all(Mask& mask) { return read_list(mask, 0) && rest_.empty(); }

  private:
    static constexpr int kMaxDepth = 16;

    bool read_list(Mask& mask, int depth) {
        while (true) {
            if (!read_path(mask, depth)) return false;
            if (!take(',')) return true;
        }
    }

    bool read_path(Mask& mask, int depth) {
        const auto size = rest_.find_first_of(",/()");
        const auto name = rest_.substr(0, size);
        if (name.empty() || depth > kMaxDepth) return false;
        rest_.remove_prefix(name.size());
        auto& child = mask.children[std::string(name)];
        if (child == nullptr) child = std::make_unique<Mask>();
        if (take('/')) return read_path(*child, depth + 1);
        if (take('(')) return read_list(*child, depth + 1) && take(')');
        return true;
    }

    bool take(char c) {
        if (!rest_.starts_with(c)) return false;
        rest_.remove_prefix(1);
        return true;
    }

    std::string_view rest_;
};

boost::json::value apply(const boost::json::value& value, const Mask& mask) {
    if (mask.children.empty() || mask.children.contains("*")) return value;
    if (value.is_array()) {
        boost::json::array list;
        for (const auto& item : value.as_array()) list.push_back(apply(item, mask));
        return list;
    }
    if (!value.is_object()) return value;
    boost::json::object kept;
    for (const auto& [name, member] : value.as_object())
        if (const auto it = mask.children.find(std::string_view(name)); it != mask.children.end())
            kept[name] = apply(member, *it->second);
    return kept;
}

void print(const boost::json::value& value, std::string indent, std::string& out) {
    const std::string inner = indent + "  ";
    if (value.is_object() && !value.as_object().empty()) {
        char separator = '{';
        for (const auto& [name, member] : value.as_object()) {
            out += separator + ("\n" + inner) + boost::json::serialize(name) + ": ";
            print(member, inner, out);
            separator = ',';
        }
        out += "\n" + indent + "}";
    } else if (value.is_array() && !value.as_array().empty()) {
        char separator = '[';
        for (const auto& member : value.as_array()) {
            out += separator + ("\n" + inner);
            print(member, inner, out);
            separator = ',';
        }
        out += "\n" + indent + "]";
    } else {
        out += boost::json::serialize(value);
    }
}

}  // namespace

Result<boost::json::value> select_fields(const boost::json::value& body,
                                         std::string_view selector) {
    Mask mask;
    if (!Reader(selector).read_all(mask))
        return fail(ErrorCode::invalid, "Invalid field selection");
    return apply(body, mask);
}

std::string pretty_print(const boost::json::value& value) {
    std::string text;
    print(value, {}, text);
    return text + "\n";
}

}  // namespace calhost::sandbox
