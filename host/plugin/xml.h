/// XML of foreign servers (WebDAV) as plain elements, and back. Elements are named by the caller's
/// own prefixes, never by those that the text happens to use.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace calhost::plugin {

/// Prefix → namespace: {"D", "DAV:"}.
using Namespaces = std::map<std::string, std::string, std::less<>>;

struct Element {
    std::string name;  ///< "D:href"; "{namespace}href" for a namespace that has no prefix here
    std::string text;  ///< what stands directly inside, CDATA included
    std::vector<std::pair<std::string, std::string>> attributes;  ///< without those of namespaces
    std::vector<Element> children;
};

/// *Errors*: invalid_response, for what is not well-formed, has a DTD, or is larger, deeper or
/// fuller than 10 MiB, 32 levels and 200,000 elements. Entities besides XML's own five stay text.
Result<Element> read_xml(std::string_view text, const Namespaces& namespaces);

/// A whole document in UTF-8; characters that XML forbids are left out.
/// *Errors*: invalid, for a name that is none or has a prefix that `namespaces` lacks.
Result<std::string> write_xml(const Element& root, const Namespaces& namespaces);

}  // namespace calhost::plugin
