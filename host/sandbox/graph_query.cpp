#include "sandbox/graph_query.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "calendar/zone.h"
#include "sandbox/graph_times.h"

namespace calhost::sandbox::graph {
namespace {

std::string_view trimmed(std::string_view text) {
    while (text.starts_with(' ')) text.remove_prefix(1);
    while (text.ends_with(' ')) text.remove_suffix(1);
    return text;
}

/// Splits at `mark` outside of quotes and parentheses.
std::vector<std::string_view> split(std::string_view text, std::string_view mark) {
    std::vector<std::string_view> parts;
    int depth = 0;
    bool is_quoted = false;
    std::size_t begin = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\'') is_quoted = !is_quoted;
        if (!is_quoted && text[i] == '(') ++depth;
        if (!is_quoted && text[i] == ')') --depth;
        if (is_quoted || depth > 0 || text.substr(i, mark.size()) != mark) continue;
        parts.push_back(trimmed(text.substr(begin, i - begin)));
        begin = i + mark.size();
        i = begin - 1;
    }
    parts.push_back(trimmed(text.substr(begin)));
    return parts;
}

/// 'it''s' without its quotes; nothing for what is no string.
std::optional<std::string> unquote(std::string_view text) {
    if (text.size() < 2 || text.front() != '\'' || text.back() != '\'') return std::nullopt;
    std::string plain;
    for (std::size_t i = 1; i + 1 < text.size(); ++i) {
        plain += text[i];
        if (text[i] == '\'' && text[i + 1] == '\'') ++i;
    }
    return plain;
}

struct Comparison {
    std::string_view left;
    std::string_view word;
    std::string_view right;
};
std::optional<Comparison> read_comparison(std::string_view term) {
    const auto first = term.find(' ');
    if (first == std::string_view::npos) return std::nullopt;
    const auto second = term.find(' ', first + 1);
    if (second == std::string_view::npos) return std::nullopt;
    return Comparison{term.substr(0, first), term.substr(first + 1, second - first - 1),
                      trimmed(term.substr(second + 1))};
}

const json::value* find_mark(const Item& item, std::string_view id) {
    const auto* list = json::find(item.body, "singleValueExtendedProperties");
    if (list == nullptr) return nullptr;
    const auto& marks = list->as_array();
    const auto found = std::ranges::find_if(
        marks, [&](const json::value& mark) { return json::text_of(mark, "id") == id; });
    return found == marks.end() ? nullptr : &*found;
}

using Test = std::function<bool(const Item&)>;

/// singleValueExtendedProperties/Any(ep: ep/id eq '…' and ep/value eq '…')
std::optional<Test> read_mark_test(std::string_view term) {
    const auto open = term.find('(');
    const auto colon = term.find(':', open);
    if (colon == std::string_view::npos || !term.ends_with(')')) return std::nullopt;
    const auto name = std::string(trimmed(term.substr(open + 1, colon - open - 1)));
    std::string id;
    std::optional<std::string> value;
    for (const auto part : split(term.substr(colon + 1, term.size() - colon - 2), " and ")) {
        const auto comparison = read_comparison(part);
        if (!comparison || comparison->word != "eq") return std::nullopt;
        const auto text = unquote(comparison->right);
        if (text && comparison->left == name + "/id")
            id = *text;
        else if (text && comparison->left == name + "/value")
            value = text;
        else
            return std::nullopt;
    }
    // The reference: the filter needs both.
    if (id.empty() || !value) return std::nullopt;
    return [id, wanted = *value](const Item& item) {
        const auto* mark = find_mark(item, id);
        return mark != nullptr && json::text_of(*mark, "value") == wanted;
    };
}

/// The moment of an item that a filter compares.
std::optional<Timestamp> moment_of(const Item& item, std::string_view name) {
    if (name == "start/dateTime") return item.start.instant;
    if (name == "end/dateTime") return item.finish.instant;
    if (name == "lastModifiedDateTime") return item.updated;
    return std::nullopt;
}

std::optional<Test> read_time_test(const Comparison& comparison) {
    const auto text = unquote(comparison.right).value_or(std::string(comparison.right));
    const auto when = read_moment(text, "dateTime");
    if (!when || !moment_of({}, comparison.left)) return std::nullopt;
    const std::string word(comparison.word);
    if (word != "ge" && word != "gt" && word != "le" && word != "lt" && word != "eq")
        return std::nullopt;
    return [name = std::string(comparison.left), word, limit = *when](const Item& item) {
        const auto own = *moment_of(item, name);
        if (word == "ge") return own >= limit;
        if (word == "gt") return own > limit;
        if (word == "le") return own <= limit;
        if (word == "lt") return own < limit;
        return own == limit;
    };
}

std::optional<Test> read_test(std::string_view term) {
    if (term.starts_with("singleValueExtendedProperties/Any(") ||
        term.starts_with("singleValueExtendedProperties/any("))
        return read_mark_test(term);
    const auto comparison = read_comparison(term);
    if (!comparison) return std::nullopt;
    if (auto test = read_time_test(*comparison)) return test;
    const auto text = unquote(comparison->right);
    if (comparison->word != "eq" || !text) return std::nullopt;
    if (comparison->left == "type")
        return [wanted = *text](const Item& item) { return item.type == wanted; };
    if (comparison->left == "iCalUId" || comparison->left == "subject")
        return [name = std::string(comparison->left), wanted = *text](const Item& item) {
            return json::text_of(item.body, name) == wanted;
        };
    return std::nullopt;
}

/// The ids in `$expand=singleValueExtendedProperties($filter=id eq '…' or id eq '…')`.
bool read_mark_ids(std::string_view expansion, std::vector<std::string>& ids) {
    constexpr std::string_view kFilter = "$filter=";
    const auto open = expansion.find('(');
    if (open == std::string_view::npos || !expansion.ends_with(')')) return false;
    auto inside = expansion.substr(open + 1, expansion.size() - open - 2);
    if (!inside.starts_with(kFilter)) return false;
    for (const auto part : split(inside.substr(kFilter.size()), " or ")) {
        const auto comparison = read_comparison(part);
        const auto id = comparison ? unquote(comparison->right) : std::nullopt;
        if (!id || comparison->left != "id" || comparison->word != "eq") return false;
        ids.push_back(*id);
    }
    return true;
}

json::array cancelled_of(const Calendar& home, const Item& item) {
    json::array ids;
    for (const auto* row : home.events.overrides_of(item.id))
        if (row->is_cancelled()) {
            const auto& slot = *row->event.recurrence_id;
            const auto day =
                slot.is_date ? slot.date
                             : calendar::Date(std::chrono::floor<std::chrono::days>(slot.local));
            ids.emplace_back(
                fmt::format("OID.{}.{}", show_id(item.id, true), calendar::format_date(day)));
        }
    return ids;
}

}  // namespace

Answer<QueryOptions> read_options(const Call& call) {
    QueryOptions options;
    if (const auto select = call.request.query.get("$select"); !select.empty())
        for (const auto name : split(select, ",")) options.select.emplace_back(name);
    const auto expand = call.request.query.get("$expand");
    if (expand.empty()) return options;
    for (const auto part : split(expand, ",")) {
        if (part.starts_with("exceptionOccurrences"))
            options.expands_exceptions = true;
        else if (!part.starts_with("singleValueExtendedProperties") ||
                 !read_mark_ids(part, options.expand_marks))
            return refuse_query("The sandbox does not know this $expand.");
    }
    return options;
}

json::object project(json::object shown, const Item& item, const Calendar& home,
                     const QueryOptions& options, const Prefer& prefer) {
    if (!options.select.empty()) {
        json::object kept{{"@odata.etag", shown["@odata.etag"]}, {"id", shown["id"]}};
        for (const auto& name : options.select)
            if (const auto* value = shown.if_contains(name)) kept[name] = *value;
        const auto wants = [&](std::string_view name) {
            return std::ranges::find(options.select, name) != options.select.end();
        };
        if (wants("cancelledOccurrences") && item.type == "seriesMaster")
            kept["cancelledOccurrences"] = cancelled_of(home, item);
        if (wants("exceptionOccurrences") && options.expands_exceptions) {
            json::array list;
            for (const auto* row : home.events.overrides_of(item.id))
                if (!row->is_cancelled()) list.push_back(present(item_of(home, *row), prefer));
            kept["exceptionOccurrences"] = std::move(list);
        }
        shown = std::move(kept);
    }
    json::array marks;
    for (const auto& id : options.expand_marks)
        if (const auto* mark = find_mark(item, id)) marks.push_back(*mark);
    if (!marks.empty()) shown["singleValueExtendedProperties"] = std::move(marks);
    return shown;
}

Answer<> filter_and_sort(const Call& call, std::vector<Item>& items) {
    if (const auto filter = call.request.query.get("$filter"); !filter.empty())
        for (const auto term : split(filter, " and ")) {
            const auto test = read_test(term);
            if (!test)
                return refuse(400, "ErrorInvalidUrlQueryFilter",
                              "The query filter contains one or more invalid nodes.");
            std::erase_if(items, [&](const Item& item) { return !(*test)(item); });
        }
    const auto order = call.request.query.get("$orderby");
    const bool is_descending = order.ends_with(" desc");
    const auto name = order.substr(0, order.find(' '));
    if (!name.empty() && name != "start/dateTime" && name != "lastModifiedDateTime")
        return refuse_query("The sandbox does not sort by this.");
    const bool is_by_start = name != "lastModifiedDateTime";
    std::ranges::sort(items, [&](const Item& a, const Item& b) {
        const auto key = [&](const Item& item) {
            return std::pair(is_by_start ? item.start.instant : item.updated,
                             std::string_view(item.id));
        };
        return is_descending ? key(b) < key(a) : key(a) < key(b);
    });
    return {};
}

}  // namespace calhost::sandbox::graph
