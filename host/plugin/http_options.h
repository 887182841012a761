/// The options of `ctx.http`: what a script writes beside the address.
#pragma once

#include "lua/state.h"
#include "net/message.h"

namespace calhost::plugin {

enum class HttpCallForm { verb, request };  ///< `http:get(url, options)`, `http:request(options)`

/// Raises an author's mistake in argument `index`: an option that there is not, or one of another
/// type, would be left out of the request and be missed at the service.
void check_options(lua::Call& call, int index, HttpCallForm form);

/// Puts query, headers and body where they belong. *Errors*: invalid, for `json` that is none.
Result<void> read_options(const lua::Reader& options, net::ClientRequest& request);

}  // namespace calhost::plugin
