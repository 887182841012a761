#include "lua/json_items.h"

#include <exception>
#include <lua.hpp>
#include <optional>

#include "lua/budget.h"
#include "lua/json.h"

namespace calhost::lua {
namespace {

constexpr auto kNowhere = std::string_view::npos;

std::size_t skip_space(std::string_view text, std::size_t at) {
    while (at < text.size() && std::string_view(" \t\r\n").contains(text[at])) ++at;
    return at;
}

/// The quote that ends the string which begins at `at`.
std::size_t end_of_string(std::string_view text, std::size_t at) {
    for (;;) {
        at = text.find('"', at + 1);
        if (at == kNowhere) return kNowhere;
        std::size_t slashes = 0;
        while (text[at - 1 - slashes] == '\\') ++slashes;
        if (slashes % 2 == 0) return at;
    }
}

/// The bracket that ends the array which begins at `at`.
std::size_t end_of_array(std::string_view text, std::size_t at) {
    for (int depth = 0; at < text.size(); ++at) {
        const char c = text[at];
        if (c == '"') at = end_of_string(text, at);
        if (at == kNowhere) return kNowhere;
        if (c == '[' || c == '{') ++depth;
        if ((c == ']' || c == '}') && --depth == 0) return at;
    }
    return kNowhere;
}

struct Span {
    std::size_t begin;  ///< the opening bracket
    std::size_t end;    ///< the closing one
};

/// The array that the outermost object has as `member`. Only brackets and strings are looked at:
/// whether it is JSON, decoding says.
std::optional<Span> find_array(std::string_view text, std::string_view member) {
    int depth = 0;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const char c = text[at];
        if (c == '[' || c == '{') ++depth;
        if (c == ']' || c == '}') --depth;
        if (c != '"') continue;
        const auto end = end_of_string(text, at);
        if (end == kNowhere) return std::nullopt;
        const bool is_it = depth == 1 && text.substr(at + 1, end - at - 1) == member;
        at = end;
        const auto colon = skip_space(text, at + 1);
        if (!is_it || !text.substr(colon).starts_with(':')) continue;
        const auto begin = skip_space(text, colon + 1);
        if (!text.substr(begin).starts_with('[')) return std::nullopt;
        const auto last = end_of_array(text, begin);
        return last == kNowhere ? std::nullopt : std::optional(Span{begin, last});
    }
    return std::nullopt;
}

/// Where the iterator keeps things.
constexpr int kText = lua_upvalueindex(1);
constexpr int kPlace = lua_upvalueindex(2);  ///< where the last item ended
constexpr int kNames = lua_upvalueindex(3);
constexpr int kWanted = lua_upvalueindex(4);  ///< nil: every member

/// Pushes the item behind the bracket or comma at `at`, and moves `at` to what follows the item.
Result<void> push_item(lua_State* state, std::string_view text, std::size_t& at) {
    Writer writer(state);
    const Shared shared{.names = kNames, .wanted = lua_isnil(state, kWanted) ? 0 : kWanted};
    const auto read = push_json_value(writer, text.substr(at + 1), shared);
    if (!read) return fail(read.error());
    at = skip_space(text, at + 1 + *read);
    if (at < text.size() && (text[at] == ',' || text[at] == ']')) return {};
    return fail(ErrorCode::invalid, "not JSON: a comma is missing between two items");
}

int next_item(lua_State* state) {
    std::size_t size = 0;
    const char* bytes = lua_tolstring(state, kText, &size);
    const std::string_view text(bytes, size);
    const auto begin = static_cast<std::size_t>(lua_tointeger(state, kPlace));
    if (begin >= size || text[begin] == ']') {
        lua_pushnil(state);
        return 1;
    }
    std::size_t at = begin;
    std::string problem;
    try {
        const auto pushed = push_item(state, text, at);
        if (!pushed) problem = pushed.error().message;
    } catch (const std::exception& bug) {
        problem = bug.what();
    }
    if (!problem.empty()) return luaL_error(state, "%s", problem.c_str());
    lua_pushinteger(state, static_cast<lua_Integer>(at));
    lua_replace(state, kPlace);
    spend(state, 20 + (at - begin) / 8);
    return 1;
}

/// The list of names as a set; nil if there is none.
void push_wanted(lua_State* state, const Reader& list) {
    if (!list.is_table()) return lua_pushnil(state);
    lua_createtable(state, 0, static_cast<int>(list.size()));
    list.each_item([&](std::int64_t, const Reader& name) {
        if (name.type() != Type::string) return;
        lua_pushvalue(state, name.index());
        lua_pushboolean(state, 1);
        lua_rawset(state, -4);
    });
}

void give_iterator(Call& call, std::size_t begin) {
    call.give([&](Writer& writer) {
        lua_pushvalue(writer.state(), call.argument(1).index());
        lua_pushinteger(writer.state(), static_cast<lua_Integer>(begin));
        lua_newtable(writer.state());
        push_wanted(writer.state(), call.argument(3));
        lua_pushcclosure(writer.state(), next_item, 4);
    });
}

}  // namespace

void decode_apart(Call& call) {
    const std::string_view text = call.argument(1).string();
    const auto array = find_array(text, call.argument(2).string());
    std::string rest;
    if (array) {
        rest = text.substr(0, array->begin + 1);
        rest += text.substr(array->end);
    }
    Result<void> outcome;
    call.give([&](Writer& writer) {
        outcome = push_json_text(writer, array ? std::string_view(rest) : text);
        if (!outcome) writer.nil();
    });
    if (!outcome) return give_decode_error(call, outcome.error());
    if (!array) return give_iterator(call, text.size());
    const auto first = skip_space(text, array->begin + 1);
    give_iterator(call, first == array->end ? array->end : array->begin);
}

}  // namespace calhost::lua
