/// JSON whose one long array is read item by item. Nobody outside the room includes this.
#pragma once

#include "lua/state.h"

namespace calhost::lua {

/// `decode(text, member)`: the value with that array left empty, and an iterator over its items.
/// Each item is decoded when its turn comes, so that a page of thousands never lies in memory as
/// tables. The iterator raises an error where an item is not JSON.
void decode_apart(Call& call);

}  // namespace calhost::lua
