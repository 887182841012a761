/// WebDAV and CalDAV as texts: bodies of requests, and what answers say. No requests are made here.
/// Elements are named with the prefixes D (DAV:), C (CalDAV), CS and A (Apple's two).
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "plugin/xml.h"

namespace calhost::plugin::dav {

const Namespaces& namespaces();

/// Where answers come from, and what their links are told against.
struct Place {
    std::string_view url;   ///< a path at `home`, or an address
    std::string_view home;  ///< the account's address
};

/// What `href` means at a place: a path where it is on the origin of `home`, else an address. Each
/// has one spelling: escaped is what needs it, in upper case. A link of another kind (mailto:)
/// stays as it is.
std::string resolve(std::string_view href, Place at);

/// One response of a multistatus. RFC 4918 section 14.24.
struct Response {
    std::string href;              ///< resolved
    std::optional<int> status;     ///< of the whole, where it tells one
    std::optional<Element> found;  ///< D:prop: the properties that are there
};
struct Multistatus {
    std::vector<Response> responses;
    std::string token;  ///< of sync-collection (RFC 6578 section 6.4)
};
/// *Errors*: invalid_response, for what is no multistatus or too large (read_xml).
Result<Multistatus> read_multistatus(std::string_view text, Place at);

// --- bodies ----------------------------------------------------------------------------------

/// RFC 4918 section 9.1.
Element propfind(std::span<const std::string> names);
/// RFC 6578 section 3.2: what changed in the collection since `token`.
Element sync_collection(std::string_view token);
/// RFC 4791 section 7.9: the events of these resources.
Element multiget(std::span<const std::string> hrefs);

/// Which events a query is for: those in a window, or those with a property.
struct Filter {
    std::string start, finish;  ///< RFC 3339; empty: without that end
    std::string property;       ///< "UID"
    std::string text;           ///< that the property holds; empty: anything
};
/// RFC 4791 section 7.8: the resources with an event to which the filter applies.
Element query(const Filter& filter);

/// What a refused request means; the body of an answer may name a precondition (RFC 4791 section
/// 5.3.2.1). The message names the status.
Error failure(int status, std::string_view body);

}  // namespace calhost::plugin::dav
