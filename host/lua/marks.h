/// Marks that values carry between C++ and Lua. Nobody outside the room includes this.
#pragma once

#include <lua.hpp>

namespace calhost::lua {

/// The address that `json.null` is.
void* null_mark();
inline bool is_null_mark(lua_State* state, int index) {
    return lua_type(state, index) == LUA_TLIGHTUSERDATA &&
           lua_touserdata(state, index) == null_mark();
}

/// Makes the state's mark of arrays; once, before the others.
void create_array_mark(lua_State* state);
/// Marks the table on top as an array, so that it stays one in JSON even when it is empty.
void mark_array(lua_State* state);
bool is_marked_array(lua_State* state, int index);

}  // namespace calhost::lua
