/// JSON whose one long array is read item by item. Nobody outside the room includes this.
#pragma once

#include "lua/state.h"

namespace calhost::lua {

/// `decode(text, member, wanted)`: the value with that array left empty, and an iterator over its
/// items, of which only the members named in the list `wanted` are made, if there is one.
/// Each item is decoded when its turn comes, so that a page of thousands never lies in memory as
/// tables. The iterator raises an error where an item is not JSON.
void decode_apart(Call& call);

}  // namespace calhost::lua
