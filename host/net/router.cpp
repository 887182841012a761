#include "net/router.h"

#include <algorithm>
#include <map>
#include <set>
#include <stdexcept>

#include "net/text.h"

namespace calhost::net {

/// One segment's place in the tree of paths.
struct Router::Node {
    struct Parameter {
        std::string suffix;  // what stands behind the braces
        std::unique_ptr<Node> node;
    };
    struct Leaf {
        std::size_t route;
        std::vector<std::string> names;  // of the parameters, in order
    };
    std::map<std::string, std::unique_ptr<Node>, std::less<>> literals;
    std::vector<Parameter> parameters;  // the longest suffix first
    std::map<std::string, Leaf, std::less<>> leaves;

    Node& literal(std::string_view text) {
        auto& child = literals[std::string(text)];
        if (child == nullptr) child = std::make_unique<Node>();
        return *child;
    }
    Node& parameter(std::string_view suffix) {
        const auto at = std::ranges::find(parameters, suffix, &Parameter::suffix);
        if (at != parameters.end()) return *at->node;
        const auto shorter = std::ranges::find_if(
            parameters, [&](const auto& p) { return p.suffix.size() < suffix.size(); });
        return *parameters.insert(shorter, {std::string(suffix), std::make_unique<Node>()})->node;
    }
};

struct Router::Search {
    std::string_view method;
    std::vector<std::string_view> values;
    const Node::Leaf* leaf = nullptr;
    std::set<std::string> allowed;  // without a leaf: methods of nodes that have the path
};

namespace {

Task<Response> ready(Response response) { co_return response; }

std::string join(const std::set<std::string>& methods) {
    std::string text;
    for (const auto& method : methods) text += (text.empty() ? "" : ", ") + method;
    return text;
}

/// "/a/b" → "a/b"; every path starts with a slash.
std::string_view without_slash(std::string_view path) {
    if (path.starts_with('/')) path.remove_prefix(1);
    return path;
}

}  // namespace

Router::Router() : root_(std::make_shared<Node>()) {
    not_found = [](const Request&) { return Response::text(404, "Not found\n"); };
    wrong_method = [](const Request&, const std::string&) {
        return Response::text(405, "Method not allowed\n");
    };
}

void Router::add(Route route) {
    const auto name = route.method + " " + route.path;
    if (!try_add(std::move(route))) throw std::logic_error("route " + name + " is taken");
}

bool Router::try_add(Route route) {
    Node* node = root_.get();
    std::vector<std::string> names;
    std::string_view rest = without_slash(route.path);
    for (bool is_last = false; !is_last;) {
        is_last = !rest.contains('/');
        std::string_view segment = take_until(rest, '/');
        if (segment.starts_with('{')) {
            segment.remove_prefix(1);
            names.emplace_back(take_until(segment, '}'));
            node = &node->parameter(segment);
        } else {
            node = &node->literal(segment);
        }
    }
    if (!node->leaves.try_emplace(route.method, routes_.size(), std::move(names)).second)
        return false;
    routes_.push_back(std::move(route));
    return true;
}

void Router::mount(std::string prefix, Handler handler) {
    while (prefix.ends_with('/')) prefix.pop_back();
    const auto shorter = std::ranges::find_if(
        mounts_, [&](const Mount& m) { return m.prefix.size() < prefix.size(); });
    mounts_.insert(shorter, {std::move(prefix), std::move(handler)});
}

/// Depth first: the most literal path that has the method; the others' methods are noted.
void Router::find(const Node& node, std::string_view rest, Search& search) {
    const bool is_last = !rest.contains('/');
    const std::string_view segment = take_until(rest, '/');
    const auto visit = [&](const Node& child) {
        if (!is_last) return find(child, rest, search);
        const auto leaf = child.leaves.find(search.method);
        if (leaf != child.leaves.end())
            search.leaf = &leaf->second;
        else
            for (const auto& [method, other] : child.leaves) search.allowed.insert(method);
    };
    if (const auto literal = node.literals.find(segment); literal != node.literals.end())
        visit(*literal->second);
    for (const auto& [suffix, child] : node.parameters) {
        if (search.leaf != nullptr) return;
        if (segment.size() <= suffix.size() || !segment.ends_with(suffix)) continue;
        search.values.push_back(segment.substr(0, segment.size() - suffix.size()));
        visit(*child);
        if (search.leaf == nullptr) search.values.pop_back();
    }
}

const Router::Mount* Router::find_mount(std::string_view path) const {
    const auto covers = [&](const Mount& mount) {
        return path.starts_with(mount.prefix) &&
               (path.size() == mount.prefix.size() || path[mount.prefix.size()] == '/');
    };
    const auto found = std::ranges::find_if(mounts_, covers);
    return found == mounts_.end() ? nullptr : &*found;
}

Task<Response> Router::dispatch(Request& request) const {
    Search search;
    search.method = request.method == "HEAD" ? "GET" : std::string_view(request.method);
    find(*root_, without_slash(request.path), search);
    if (search.leaf != nullptr) {
        request.path_parameters.clear();
        for (std::size_t i = 0; i < search.values.size(); ++i)
            request.path_parameters.emplace_back(search.leaf->names[i], search.values[i]);
        return routes_[search.leaf->route].handler(request);
    }
    if (search.allowed.empty()) {
        if (const Mount* mount = find_mount(request.path)) return mount->handler(request);
        return ready(not_found(request));
    }
    const std::string allow = allowed_methods(request.path);
    Response response = wrong_method(request, allow);
    response.headers.set("Allow", allow);
    return ready(std::move(response));
}

std::string Router::allowed_methods(std::string_view path) const {
    Search search;
    find(*root_, without_slash(path), search);
    if (search.allowed.contains("GET")) search.allowed.insert("HEAD");
    return join(search.allowed);
}

}  // namespace calhost::net
