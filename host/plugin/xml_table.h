/// An XML element as the table that scripts see. The modules' own.
#pragma once

#include "lua/value.h"
#include "plugin/xml.h"

namespace calhost::plugin {

/// `{name, text, attributes?}`, the children as a list, and the first of each name as a field.
void push_element(lua::Writer& writer, const Element& element);

}  // namespace calhost::plugin
