#include <algorithm>
#include <numeric>
#include <vector>

#include "lua/budget.h"
#include "lua/core.h"
#include "lua/library.h"

namespace calhost::lua {
namespace {

/// All functions here use raw access and the true length: no script decides how long they run.
lua_Integer check_list(lua_State* state, int index) {
    luaL_checktype(state, index, LUA_TTABLE);
    return static_cast<lua_Integer>(lua_rawlen(state, index));
}

/// How many items [first, last] has, at most kMostItems.
lua_Integer check_range(lua_State* state, lua_Integer first, lua_Integer last) {
    if (first > last) return 0;
    const std::uint64_t count =
        static_cast<std::uint64_t>(last) - static_cast<std::uint64_t>(first);
    if (count >= static_cast<std::uint64_t>(kMostItems))
        luaL_error(state, "more than %d items", static_cast<int>(kMostItems));
    spend(state, count / 2);
    return static_cast<lua_Integer>(count) + 1;
}

int table_insert(lua_State* state) {
    const lua_Integer end = check_list(state, 1) + 1;
    const int count = lua_gettop(state);
    if (count == 2) {
        lua_rawseti(state, 1, end);
        return 0;
    }
    if (count != 3) return luaL_error(state, "wrong number of arguments to 'insert'");
    const lua_Integer at = luaL_checkinteger(state, 2);
    luaL_argcheck(state, at >= 1 && at <= end, 2, "position out of bounds");
    check_range(state, at, end);
    for (lua_Integer i = end; i > at; --i) {
        lua_rawgeti(state, 1, i - 1);
        lua_rawseti(state, 1, i);
    }
    lua_rawseti(state, 1, at);
    return 0;
}

int table_remove(lua_State* state) {
    const lua_Integer size = check_list(state, 1);
    lua_Integer at = luaL_optinteger(state, 2, size);
    if (lua_gettop(state) > 1)
        luaL_argcheck(state, at >= (size == 0 ? 0 : 1) && at <= size + 1, 2,
                      "position out of bounds");
    check_range(state, at, size);
    lua_rawgeti(state, 1, at);
    for (; at < size; ++at) {
        lua_rawgeti(state, 1, at + 1);
        lua_rawseti(state, 1, at);
    }
    lua_pushnil(state);
    lua_rawseti(state, 1, at);
    return 1;
}

int table_concat(lua_State* state) {
    const lua_Integer size = check_list(state, 1);
    std::size_t gap_size = 0;
    const char* gap = luaL_optlstring(state, 2, "", &gap_size);
    const lua_Integer first = luaL_optinteger(state, 3, 1);
    const lua_Integer last = luaL_optinteger(state, 4, size);
    const lua_Integer count = check_range(state, first, last);
    std::size_t total = 0;
    for (lua_Integer i = 0; i < count; ++i) {
        if (lua_rawgeti(state, 1, first + i) == LUA_TSTRING) total += lua_rawlen(state, -1);
        lua_pop(state, 1);
        total += gap_size;
        if (total > 2 * kLongestString)
            return luaL_error(state, "the resulting string is too long");
    }
    make_room(state, 3 * total);
    luaL_Buffer buffer;
    luaL_buffinit(state, &buffer);
    for (lua_Integer i = 0; i < count; ++i) {
        if (i > 0) luaL_addlstring(&buffer, gap, gap_size);
        lua_rawgeti(state, 1, first + i);
        if (lua_isstring(state, -1) == 0)
            return luaL_error(state, "item %I is a %s; concat joins strings and numbers", first + i,
                              luaL_typename(state, -1));
        luaL_addvalue(&buffer);
        if (luaL_bufflen(&buffer) > kLongestString)
            return luaL_error(state, "the resulting string is too long");
    }
    luaL_pushresult(&buffer);
    return 1;
}

int table_unpack(lua_State* state) {
    const lua_Integer size = check_list(state, 1);
    const lua_Integer first = luaL_optinteger(state, 2, 1);
    const lua_Integer last = luaL_optinteger(state, 3, size);
    const lua_Integer count = check_range(state, first, last);
    if (lua_checkstack(state, static_cast<int>(count)) == 0)
        return luaL_error(state, "too many results to unpack");
    for (lua_Integer i = 0; i < count; ++i) lua_rawgeti(state, 1, first + i);
    return static_cast<int>(count);
}

int table_pack(lua_State* state) {
    const int count = lua_gettop(state);
    check_range(state, 1, count);
    lua_createtable(state, count, 1);
    lua_insert(state, 1);
    for (int i = count; i >= 1; --i) lua_rawseti(state, 1, i);
    lua_pushliteral(state, "n");
    lua_pushinteger(state, count);
    lua_rawset(state, 1);
    return 1;
}

int table_move(lua_State* state) {
    luaL_checktype(state, 1, LUA_TTABLE);
    const lua_Integer first = luaL_checkinteger(state, 2);
    const lua_Integer last = luaL_checkinteger(state, 3);
    const lua_Integer to = luaL_checkinteger(state, 4);
    const int target = lua_isnoneornil(state, 5) ? 1 : 5;
    luaL_checktype(state, target, LUA_TTABLE);
    const lua_Integer count = check_range(state, first, last);
    luaL_argcheck(state, count == 0 || to <= LUA_MAXINTEGER - count + 1, 4,
                  "destination wrap around");
    // Backwards when the target would overwrite what is still to be read.
    const bool is_backwards = target == 1 && to > first && to <= last;
    for (lua_Integer i = 0; i < count; ++i) {
        const lua_Integer at = is_backwards ? count - 1 - i : i;
        lua_rawgeti(state, 1, first + at);
        lua_rawseti(state, target, to + at);
    }
    lua_pushvalue(state, target);
    return 1;
}

/// Compares the values on top, and pops them.
bool pops_in_order(lua_State* state) {
    if (lua_type(state, -1) == LUA_TSTRING && lua_type(state, -2) == LUA_TSTRING)
        spend(state, std::min(lua_rawlen(state, -1), lua_rawlen(state, -2)) / 8);
    const bool is_less = lua_compare(state, -2, -1, LUA_OPLT) != 0;
    lua_pop(state, 2);
    return is_less;
}

/// Whether item `a` of the list at index 3 goes before item `b`.
bool goes_before(lua_State* state, int a, int b) {
    spend(state, 2);
    const bool has_function = !lua_isnil(state, 2);
    if (has_function) lua_pushvalue(state, 2);
    lua_rawgeti(state, 3, a);
    lua_rawgeti(state, 3, b);
    if (!has_function) return pops_in_order(state);
    lua_call(state, 2, 1);
    const bool is_before = lua_toboolean(state, -1) != 0;
    lua_pop(state, 1);
    return is_before;
}

/// Merges upwards: n log n comparisons whatever the comparison function answers, and items that
/// compare equal keep their order.
std::vector<int> sorted_order(lua_State* state, int count) {
    std::vector<int> order(static_cast<std::size_t>(count));
    std::iota(order.begin(), order.end(), 1);
    std::vector<int> merged(order.size());
    for (std::size_t width = 1; width < order.size(); width *= 2) {
        for (std::size_t begin = 0; begin < order.size(); begin += 2 * width) {
            const std::size_t middle = std::min(begin + width, order.size());
            const std::size_t end = std::min(begin + 2 * width, order.size());
            std::size_t left = begin;
            std::size_t right = middle;
            for (std::size_t out = begin; out < end; ++out) {
                const bool takes_right =
                    right < end &&
                    (left == middle || goes_before(state, order[right], order[left]));
                merged[out] = order[takes_right ? right++ : left++];
            }
        }
        order.swap(merged);
    }
    return order;
}

int table_sort(lua_State* state) {
    const auto count = static_cast<int>(check_range(state, 1, check_list(state, 1)));
    if (!lua_isnoneornil(state, 2)) luaL_checktype(state, 2, LUA_TFUNCTION);
    lua_settop(state, 2);
    // The comparison function may change the list: it is sorted in a copy.
    lua_createtable(state, count, 0);
    for (int i = 1; i <= count; ++i) {
        lua_rawgeti(state, 1, i);
        lua_rawseti(state, 3, i);
    }
    const std::vector<int> order = sorted_order(state, count);
    for (int i = 1; i <= count; ++i) {
        lua_rawgeti(state, 3, order[static_cast<std::size_t>(i) - 1]);
        lua_rawseti(state, 1, i);
    }
    return 0;
}

}  // namespace

void push_table_library(lua_State* state) {
    constexpr luaL_Reg kFunctions[] = {{"concat", table_concat}, {"insert", table_insert},
                                       {"move", table_move},     {"pack", table_pack},
                                       {"remove", table_remove}, {"sort", table_sort},
                                       {"unpack", table_unpack}, {nullptr, nullptr}};
    luaL_newlib(state, kFunctions);
}

}  // namespace calhost::lua
