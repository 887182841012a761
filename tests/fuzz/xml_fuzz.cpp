// Any answer of a WebDAV server, read; what it holds, written and read again.
#include "plugin/xml.h"

#include "fuzz/check.h"

using namespace calhost;
using namespace calhost::plugin;

namespace {

const Namespaces kNamespaces{{"D", "DAV:"}, {"C", "urn:ietf:params:xml:ns:caldav"}};

/// Names of namespaces that the caller does not know, or that XML would not take, cannot be
/// written; nor what stands around such an element.
bool is_writable(const Element& element) {
    if (element.name.starts_with('{')) return false;
    for (const auto& child : element.children)
        if (!is_writable(child)) return false;
    return true;
}

bool is_same(const Element& one, const Element& other) {
    if (one.name != other.name || one.children.size() != other.children.size()) return false;
    for (std::size_t i = 0; i < one.children.size(); ++i)
        if (!is_same(one.children[i], other.children[i])) return false;
    return true;
}

std::size_t depth_of(const Element& element) {
    std::size_t depth = 0;
    for (const auto& child : element.children) depth = std::max(depth, depth_of(child));
    return depth + 1;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* bytes, std::size_t size) {
    const auto root = read_xml(fuzz::to_text(bytes, size), kNamespaces);
    if (!root) {
        fuzz::promise(root.error().code == ErrorCode::invalid_response,
                      "what is no XML is an answer that makes no sense");
        return 0;
    }
    fuzz::promise(!root->name.empty(), "an element has a name");
    fuzz::promise(depth_of(*root) <= 33, "nesting ends");
    if (!is_writable(*root)) return 0;
    const auto text = write_xml(*root, kNamespaces);
    if (!text) return 0;
    const auto again = read_xml(*text, kNamespaces);
    fuzz::promise(again && is_same(*root, *again), "what is written is what was read");
    return 0;
}
