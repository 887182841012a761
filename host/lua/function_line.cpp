#include "lua/function_line.h"

#include <algorithm>
#include <lua.hpp>

namespace calhost::lua {

int function_line(const Reader& function) {
    if (function.type() != Type::function) return 0;
    lua_State* const state = function.state();
    if (lua_checkstack(state, 1) == 0) return 0;
    lua_pushvalue(state, function.index());
    lua_Debug about{};
    lua_getinfo(state, ">S", &about);
    return std::max(about.linedefined, 0);
}

}  // namespace calhost::lua
