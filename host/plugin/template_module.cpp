// host.template: texts with places for values. Nothing in a template runs, and each of its
// characters is looked at once.
#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "plugin/modules.h"

namespace calhost::plugin {
namespace {

using lua::Reader;

constexpr std::size_t kLongestTemplate = 64U << 10U;
constexpr std::size_t kLongestText = 256U << 10U;
constexpr std::size_t kDeepest = 16;
constexpr std::ptrdiff_t kMostDots = 8;
constexpr std::string_view kBlanks = " \t";

std::string_view trim(std::string_view text) {
    const auto first = text.find_first_not_of(kBlanks);
    if (first == text.npos) return {};
    return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

/// "other.name"
bool is_path(std::string_view path) {
    if (path.empty() || path.starts_with('.') || path.ends_with('.') || path.contains(".."))
        return false;
    if (std::ranges::count(path, '.') > kMostDots) return false;
    return std::ranges::all_of(path, [](char c) {
        return c == '_' || c == '.' || (c >= '0' && c <= '9') ||
               ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
    });
}

void with_value(const Reader& values, std::string_view path,
                const std::function<void(const Reader&)>& use) {
    const auto dot = path.find('.');
    if (dot == path.npos) return values.with_field(path, use);
    values.with_field(path.substr(0, dot),
                      [&](const Reader& inner) { with_value(inner, path.substr(dot + 1), use); });
}

class Rendering {
  public:
    Rendering(std::string_view text, const Reader& values) : text_(text), values_(values) {}

    Result<std::string> run() {
        while (at_ < text_.size()) {
            const auto tag = text_.find("{{", at_);
            add(text_.substr(at_, tag - at_));
            at_ = std::min(tag, text_.size());
            if (tag != text_.npos)
                if (auto done = read_tag(); !done) return fail(std::move(done.error()));
            if (output_.size() > kLongestText)
                return wrong(fmt::format("the text is over {} bytes", kLongestText));
        }
        if (!open_.empty()) {
            line_ = open_.back().line;
            return wrong("{{#if}} has no {{/if}}");
        }
        return std::move(output_);
    }

  private:
    struct Block {
        int line;
        bool is_shown;
    };

    [[nodiscard]] std::unexpected<Error> wrong(std::string_view what) const {
        return fail(ErrorCode::invalid, fmt::format("line {}: {}", line_, what));
    }

    [[nodiscard]] bool is_shown() const { return open_.empty() || open_.back().is_shown; }

    void add(std::string_view literal) {
        if (is_shown()) output_ += literal;
        line_ += static_cast<int>(std::ranges::count(literal, '\n'));
    }

    Result<void> read_tag() {
        const auto end = text_.find("}}", at_);
        const auto tag = text_.substr(at_ + 2, end == text_.npos ? end : end - at_ - 2);
        if (end == text_.npos || tag.contains('\n')) return wrong("{{ has no }} on its line");
        const auto begin = std::exchange(at_, end + 2);
        const auto word = trim(tag);
        if (word.starts_with('#') || word.starts_with('/')) return read_block(word, begin);
        if (!is_path(word) || word == "else")
            return wrong(fmt::format("{{{{{}}}}} is not the name of a value", word.substr(0, 60)));
        return is_shown() ? add_value(word) : Result<void>();
    }

    Result<void> read_block(std::string_view word, std::size_t begin) {
        take_own_line(begin);
        if (word == "/if") {
            if (open_.empty()) return wrong("{{/if}} has no {{#if}}");
            open_.pop_back();
        } else {
            const auto path = word.starts_with("#if ") ? trim(word.substr(4)) : std::string_view();
            if (!is_path(path))
                return wrong(fmt::format("{{{{{}}}}} is neither {{{{#if name}}}} nor {{{{/if}}}}",
                                         word.substr(0, 60)));
            if (open_.size() == kDeepest) return wrong("{{#if}} is nested too deeply");
            open_.push_back({line_, is_shown() && has_value(path)});
        }
        line_ += std::exchange(taken_lines_, 0);
        return {};
    }

    /// A line that holds nothing but the beginning or the end of a block leaves no line.
    void take_own_line(std::size_t begin) {
        const auto line = text_.rfind('\n', begin == 0 ? text_.npos : begin - 1);
        const auto from = begin == 0 || line == text_.npos ? 0 : line + 1;
        const auto end = text_.find_first_not_of(kBlanks, at_);
        const bool is_last = end == text_.npos;
        if (!trim(text_.substr(from, begin - from)).empty()) return;
        if (!is_last && text_[end] != '\n' && !text_.substr(end).starts_with("\r\n")) return;
        if (is_shown()) output_.resize(output_.size() - (begin - from));
        if (!is_last) taken_lines_ = 1;
        at_ = is_last ? text_.size() : text_.find('\n', end) + 1;
    }

    [[nodiscard]] bool has_value(std::string_view path) const {
        bool has = false;
        with_value(values_, path, [&](const Reader& value) {
            const auto type = value.type();
            has = type == lua::Type::boolean  ? value.boolean()
                  : type == lua::Type::string ? !value.string().empty()
                                              : type != lua::Type::nil;
        });
        return has;
    }

    Result<void> add_value(std::string_view path) {
        Result<void> outcome;
        with_value(values_, path, [&](const Reader& value) {
            if (value.type() == lua::Type::string && value.string().size() <= kLongestText)
                output_ += value.string();
            else if (value.type() == lua::Type::boolean)
                output_ += value.boolean() ? "true" : "false";
            else if (const auto whole = value.integer())
                output_ += fmt::to_string(*whole);
            else if (const auto number = value.number())
                output_ += fmt::format("{:.14g}", *number);
            else if (!value.is_nil())
                outcome = wrong(fmt::format("{{{{{}}}}} is neither a text nor a number", path));
        });
        return outcome;
    }

    std::string_view text_;
    const Reader& values_;
    std::string output_;
    std::size_t at_ = 0;
    int line_ = 1;
    int taken_lines_ = 0;
    std::vector<Block> open_;
};

/// template.render("Hello {{name}}", { name = "Ada" })
void render(lua::Call& call) {
    const auto text = text_argument(call, 1);
    const auto values = call.argument(2);
    if (!values.is_table()) call.refuse(2, "a table of values is expected");
    if (text.size() > kLongestTemplate) call.refuse(1, "a template has 64 KiB at most");
    auto rendered = Rendering(text, values).run();
    if (!rendered) return call.give_error(rendered.error());
    give_text(call, std::move(*rendered));
}

}  // namespace

void fill_template(lua::Table& table) { table.function("render", render); }

}  // namespace calhost::plugin
