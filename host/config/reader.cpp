#include "config/reader.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "config/values.h"

namespace calhost::config {
namespace {

std::string_view word_of(Node::Kind kind) {
    switch (kind) {
        case Node::Kind::null:
            return "nothing";
        case Node::Kind::scalar:
            return "text";
        case Node::Kind::list:
            return "a list";
        case Node::Kind::mapping:
            return "a section";
    }
    return "";
}

}  // namespace

void Context::complain(int line, std::string key, std::string message, bool is_error) {
    const bool is_override = line == kOverrideLine;
    complaints.push_back({is_override ? "--set" : file, is_override ? 0 : line, std::move(key),
                          std::move(message), is_error});
}

std::optional<std::string> Context::expand(const Node& node, const std::string& key) {
    auto expanded = expand_variables(node.text, environment);
    if (expanded) return std::move(*expanded);
    complain(node.line, key, expanded.error().message);
    return std::nullopt;
}

Reader::Reader(Context& context, const Node* node, int line, std::string key)
    : context_(&context), node_(node), line_(line), key_(std::move(key)) {
    if (node_ == nullptr || node_->kind == Node::Kind::mapping) return;
    if (node_->kind != Node::Kind::null)
        context.complain(line, key_,
                         fmt::format("must be a section of keys, not {}", word_of(node_->kind)));
    node_ = nullptr;
}

Reader Reader::section(std::string_view name) {
    const auto* inner = node(name);
    return {*context_, inner, line_of(name), key_of(name)};
}

std::optional<std::string> Reader::text(std::string_view name) {
    const auto* found = node(name);
    if (found == nullptr) return std::nullopt;
    if (found->kind != Node::Kind::scalar) {
        complain(name, fmt::format("must be a single value, not {}", word_of(found->kind)));
        return std::nullopt;
    }
    return context_->expand(*found, key_of(name));
}

void Reader::list(std::string_view name, std::vector<std::string>& into,
                  const Parse<std::string>& parse) {
    const auto* found = node(name);
    if (found == nullptr) return;
    if (found->kind != Node::Kind::list) {
        complain(name, fmt::format("must be a list such as [a, b], not {}", word_of(found->kind)));
        return;
    }
    into.clear();
    for (const auto& item : found->items) {
        if (item.kind != Node::Kind::scalar) {
            context_->complain(item.line, key_of(name),
                               fmt::format("must hold texts only, not {}", word_of(item.kind)));
            continue;
        }
        const auto given = context_->expand(item, key_of(name));
        if (!given || given->empty()) continue;
        auto parsed = parse(*given);
        if (!parsed) {
            context_->complain(item.line, key_of(name), parsed.error().message);
        } else if (std::ranges::find(into, *parsed) != into.end()) {
            context_->complain(item.line, key_of(name), "holds the same twice; keep one of them");
        } else {
            into.push_back(std::move(*parsed));
        }
    }
}

void Reader::refuse_for_now(std::string_view name) {
    const auto* found = node(name);
    if (found == nullptr || (found->kind == Node::Kind::list && found->items.empty())) return;
    complain(name, "is not available in this version; remove it");
}

void Reader::finish() {
    const std::vector<std::string_view> words(known_.begin(), known_.end());
    for (const auto& member : members()) {
        if (std::ranges::find(words, member.name) != words.end()) continue;
        context_->complain(member.line, key_of(member.name),
                           fmt::format("is not known here; {}", suggestion(member.name, words)));
    }
}

int Reader::line_of(std::string_view name) const {
    const auto* member = node_ == nullptr ? nullptr : node_->find(name);
    return member == nullptr ? line_ : member->line;
}

std::string Reader::key_of(std::string_view name) const { return join_key(key_, name); }

void Reader::complain(std::string_view name, std::string message, bool is_error) {
    context_->complain(line_of(name), key_of(name), std::move(message), is_error);
}

const Node* Reader::node(std::string_view name) {
    if (std::ranges::find(known_, name) == known_.end()) known_.emplace_back(name);
    const auto* member = node_ == nullptr ? nullptr : node_->find(name);
    return member == nullptr || member->value.kind == Node::Kind::null ? nullptr : &member->value;
}

const std::vector<Member>& Reader::members() const {
    static const std::vector<Member> kNone;
    return node_ == nullptr ? kNone : node_->members;
}

bool Reader::has_complaint(std::string_view name) const {
    return std::ranges::find(context_->complaints, key_of(name), &Complaint::key) !=
           context_->complaints.end();
}

}  // namespace calhost::config
