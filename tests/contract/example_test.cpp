// The worked example of providers/README.md keeps the contract; with a piece broken it does not,
// and the right check says so.
#include "contract/backend.h"
#include "contract/tiny_service.h"
#include "support/seeded_random.h"
#include "support/virtual_time.h"

using namespace calhost;
using namespace calhost::test;

namespace {

/// The Lua block of the guide that is a whole provider.
std::string example() {
    const auto guide = text_of_file("providers/README.md");
    const std::string begin = "```lua\n-- Acme Calendar, API version 1.";
    const auto from = guide.find(begin);
    REQUIRE(from != std::string::npos);
    const auto to = guide.find("```\n", from + 7);
    return guide.substr(from + 7, to - from - 7);
}

std::string with(std::string code, const std::string& there, const std::string& instead) {
    const auto at = code.find(there);
    REQUIRE_MESSAGE(at != std::string::npos, there);
    return code.replace(at, there.size(), instead);
}

class AcmeAccess final : public plugin::Access {
  public:
    Task<Result<Secret>> token(bool) override { co_return Secret("acme-token"); }
    [[nodiscard]] std::optional<Timestamp> blocked_until() const override { return std::nullopt; }
    Task<> block_until(Timestamp) override { co_return; }
    [[nodiscard]] const std::string& connection_id() const override { return id_; }

  private:
    std::string id_ = "c1";
};

struct AcmeWorld {
    explicit AcmeWorld(const std::string& code)
        : contract{source_of("acme", code), {service, time, time, random}, account, "primary"} {}

    std::map<std::string, contract::Finding> findings(std::string_view only = "") {
        return findings_of(
            contract.subject,
            [this](const contract::Check& check, contract::Subject& subject) {
                return time.wait(contract::run_check(check, subject));
            },
            only);
    }

    boost::asio::io_context context;
    VirtualTime time{context};
    SeededRandom random{3};
    TinyService service;
    AcmeAccess account;
    Contract contract;
};

TEST_CASE("contract: the worked example of the author's guide keeps it") {
    AcmeWorld world(example());
    const std::set<std::string> not_offered{
        "a channel opens, is renewed and closes", "faults while opening a channel have their codes",
        "nobody gets mail, and guests stay", "reminders stay as far as can.reminders says"};
    for (const auto& [name, finding] : world.findings()) {
        CAPTURE(name);
        CAPTURE(finding.why);
        const auto wanted =
            not_offered.contains(name) ? contract::Verdict::not_offered : contract::Verdict::ok;
        CHECK(to_string(finding.verdict) == to_string(wanted));
    }
}

TEST_CASE("contract: each piece that an author forgets fails its check") {
    struct Case {
        std::string there, instead, check;
    };
    for (const auto& row : std::vector<Case>{
             {R"(["Idempotency-Key"] = key)", "", "the same key gives the same event"},
             {R"(["Idempotency-Key"] = key)", "", "a creation whose answer was lost"},
             {"if raw.gone then return patch(", "if false then return patch(",
              "the key of a deleted event"},
             {R"(local options = { json = body, headers = { ["If-Match"] = etag } })",
              "local options = { json = body, x = etag }", "based on an old etag"},
             {R"(err.code = "cursor_expired")", R"(err.code = "invalid")", "a lost cursor"},
             {"raw.gone and { id = raw.id, deleted = true } or neutral(raw)", "neutral(raw)",
              "changes and deletions come by cursor"},
             {"page = body.next_page", "page = nil", "pages hold everything"},
             {"limit = M.can.max_page", "limit = 100", "pages hold everything"},
             {"    marks = raw.private,\n", "", "marks are found again"},
             {R"(raw.secret and "private" or nil)", "nil", "free, tentative and private"},
             {"#text == 10 and event.date(text) or ", "", "whole days stay dates"},
             {"zone = wanted.start.tz or json.null", R"(zone = "Etc/UTC")", "wall-clock time"},
             {R"(clock.format(value.instant))", R"(value["local"] .. "Z")", "times of many zones"},
             {"slot = slot and written_time(slot),", "", "an occurrence can change"},
             {R"(wanted.status == "cancelled")", "false", "an occurrence can be taken away"},
             {R"(shown = SHOWN[wanted.busy] or "busy")", R"(shown = "busy")", "busy are those"},
             {"notes = wanted.description,", "notes = wanted.description:sub(1, 4096),",
              "a description of 8 KB"},
             {R"([401] = "unauthorized", )", "", "faults while reading"},
             {"retry_after = answer.retry_after", "x = 1", "faults while creating"},
             {"  return failure(answer)\nend\n\nreturn M", "  return true\nend\n\nreturn M",
              "faults while deleting"},
             {"or answer.status == 410 then", "then", "deleting again"},
             {"  local now, err = M.get_event(ctx, calendar, id)  -- Acme would bring a deleted "
              "event back\n  if not now then return nil, err end\n",
              "  local now = { etag = nil }\n", "a deleted event cannot be changed"}}) {
        CAPTURE(row.there);
        AcmeWorld world(with(example(), row.there, row.instead));
        const auto findings = world.findings(row.check);
        REQUIRE(findings.size() == 1);
        CAPTURE(findings.begin()->second.why);
        CHECK(to_string(findings.begin()->second.verdict) == "failed");
    }
}

TEST_CASE("contract: what every provider needs is missed, the rest is not offered") {
    for (const auto& [function, check, sentence] : std::vector<std::array<std::string, 3>>{
             {"identity", "one identity",
              "there is no function identity, and without it nobody can connect"},
             {"list_calendars", "calendars are listed",
              "there is no function list_calendars, and without it nobody can choose a calendar"},
             {"list_changes", "changes and deletions come by cursor",
              "there is no function list_changes, and without it nothing is synced"}}) {
        AcmeWorld world(with(example(), "\nreturn M\n", "\nM." + function + " = nil\nreturn M\n"));
        const auto finding = world.findings(check).begin()->second;
        CHECK(to_string(finding.verdict) == "failed");
        CHECK(finding.why == sentence);
    }
    AcmeWorld world(with(example(), "\nreturn M\n", "\nM.get_event = nil\nreturn M\n"));
    const auto finding = world.findings("created, read, changed").begin()->second;
    CHECK(to_string(finding.verdict) == "not offered");
}

TEST_CASE("contract: a finding says what was expected, what came, and where the script broke") {
    const auto why = [](const std::string& there, const std::string& instead,
                        const std::string& check) {
        AcmeWorld world(with(example(), there, instead));
        return world.findings(check).begin()->second.why;
    };
    CHECK(why(R"([403] = "forbidden", )", "", "faults while reading") ==
          "list_calendars answered with 403 gives invalid_response in place of forbidden: Acme "
          "answered 403");
    CHECK(why("  return failure(answer)\nend\n\nreturn M", "  return true\nend\n\nreturn M",
              "faults while deleting") ==
          "delete_event takes 401 for a success; expected is unauthorized or needs_reauth");
    CHECK(why("retry_after = answer.retry_after", "x = 1", "faults while reading")
              .contains("gives rate_limited and does not say how long to wait; expected is a "
                        "retry_after"));
    CHECK(why(R"([412] = "conflict", )", "", "based on an old etag") ==
          "update_event with an old etag gave invalid_response in place of conflict: Acme answered "
          "412");
    CHECK(why("  return list\nend", "  return lits.x\nend", "calendars are listed") ==
          "list_calendars gave invalid_response: the plugin acme failed; the log says where "
          "(providers/acme/provider.lua:86: there is no variable 'lits' here)");
}

}  // namespace
