#include "simulation/world.h"

#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "accounts/keys.h"
#include "simulation/quick_hasher.h"
#include "storage/applications.h"

namespace calhost::simulation {
namespace {

constexpr std::chrono::hours kTrouble{2};
constexpr std::chrono::hours kRest{24};

std::unique_ptr<test::TestHost> make_host(std::uint64_t seed) {
    test::TestHostOptions options;
    options.seed = seed;
    options.hasher = make_quick_hasher();
    options.adjust = [](config::Settings& settings) {
        settings.sync.interval = std::chrono::minutes{10};
    };
    return std::make_unique<test::TestHost>(std::move(options));
}

Person make_person(std::string name, std::vector<std::string> labels) {
    Person person{.name = name,
                  .email = name + "@example.org",
                  .password = "the long password of " + name,
                  .accounts = {},
                  .slots = {}};
    for (auto& label : labels) {
        person.accounts.push_back(fmt::format("{}.{}.one@gmail.example", name, label));
        person.accounts.push_back(fmt::format("{}.{}.two@gmail.example", name, label));
        person.slots.push_back({.label = std::move(label)});
    }
    return person;
}

}  // namespace

World::World(std::uint64_t seed)
    : dice_(seed ^ 0x9e3779b97f4a7c15ULL),
      scene_{.host = make_host(seed), .known = {}, .people = {}, .findings = {}},
      trace_(scene_.host->time),
      faults_(dice_, 5 + dice_.below(30)),
      network_(scene_, faults_, trace_, invariants_),
      caller_(scene_, trace_, invariants_),
      editor_(scene_, trace_, dice_) {
    invariants_ = make_invariants(scene_);
    host().transport.before = [this](net::ClientRequest& request) {
        return network_.carry(request);
    };
    host().crash_points.should_crash = [this](std::string_view point) {
        const bool crashes = is_trouble_ && dice_.chance(4);
        trace_.add(fmt::format("point {}{}", point, crashes ? ": crash" : ""));
        return crashes;
    };
    scene_.people.all.push_back(make_person("ada", {"primary", "source"}));
    scene_.people.all.push_back(make_person("bob", {"primary"}));
    open_accounts();
    open_shop();
}

void World::open_accounts() {
    for (const auto& person : scene_.people.all)
        for (const auto& account : person.accounts) {
            host().google.add_account(account, person.name, "Europe/Berlin");
            for (int i = 0; i < 4; ++i) editor_.edit(account);
        }
    // Short lives and, in half of the worlds, rotation: refreshes happen all the time.
    editor_.order("/settings",
                  {{"access_token_seconds", 900}, {"rotate_refresh_tokens", dice_.chance(50)}});
}

void World::open_shop() {
    const auto made = accounts::make_key(
        {.application_id = "shop", .scopes = {"bookings:read", "bookings:write"}},
        host().time.now(), host().random);
    test::must(
        host().time.wait(host().worker().database().write([&](storage::Sql& sql) -> Result<void> {
            auto done = storage::insert_application(
                sql, {.id = "shop", .name = "shop", .created_at = host().time.now()});
            return done ? storage::insert_api_key(sql, made.row) : done;
        })));
    auto& shop = scene_.people.shop;
    shop.name = "shop";
    shop.credentials.set("Authorization", "Bearer " + std::string(made.secret.expose()));
    scene_.known.add_secret(made.secret.expose());
}

Outcome World::run() {
    run_trouble();
    if (is_well()) come_to_rest();
    return {trace_.hash(), scene_.findings, trace_.tail(100'000), crashes_};
}

void World::run_trouble() {
    const auto end = host().time.now() + kTrouble;
    while (host().time.now() < end && is_well()) {
        act();
        advance(dice_.chance(50) ? dice_.between(milliseconds{1}, std::chrono::seconds{20})
                                 : dice_.between(milliseconds{1}, std::chrono::minutes{8}));
    }
}

void World::act() {
    auto& person = dice_.pick(scene_.people.all);
    const auto choice = dice_.below(100);
    if (choice < 4) return crash();
    if (choice < 35) return act_at_provider(person);
    if (choice < 50) return act_for_shop();
    act_for(person);
}

/// A booking is made, moved or cancelled; sometimes what it was arrives late, or twice.
void World::act_for_shop() {
    auto& people = scene_.people;
    json::object booking;
    for (const auto& [role, person] :
         {std::pair{"tutor", &people.all[0]}, std::pair{"client", &people.all[1]}}) {
        const auto user = test::must(storage::find_user_by_email(host().sql(), person->email));
        if (!user) return;
        booking[role] = {{"user_id", user->id}, {"name", person->name}};
    }
    if (people.lessons.empty() || (people.lessons.size() < 6 && dice_.chance(30)))
        people.lessons.push_back({.id = fmt::format("lesson-{}", people.lessons.size())});
    const auto which = dice_.below(people.lessons.size());
    auto& lesson = people.lessons[which];
    const bool is_late = lesson.last_version > 1 && dice_.chance(15);
    const auto version = is_late ? lesson.last_version - 1 : ++lesson.last_version;
    const auto begin = std::chrono::floor<std::chrono::hours>(host().time.now()) +
                       std::chrono::days{2 + dice_.below(40)};
    booking["title"] = fmt::format("{} v{}", lesson.id, version);
    booking["status"] = dice_.chance(70) ? "confirmed" : dice_.chance(80) ? "cancelled" : "pending";
    booking["start_time"] = format_rfc3339(begin);
    booking["end_time"] = format_rfc3339(begin + std::chrono::hours{1});
    start(caller_.book(which, version, std::move(booking)));
}

void World::act_at_provider(Person& person) {
    auto& account = dice_.pick(person.accounts);
    const auto choice = dice_.below(100);
    if (choice < 4) return editor_.order("/accounts/" + account + "/revoke");
    if (choice < 8) return editor_.order("/expire-tokens");
    if (choice < 14) return editor_.order("/expire-sync-tokens");
    editor_.edit(account);
}

void World::act_for(Person& person) {
    if (person.credentials.size() == 0) {
        if (!person.is_signing_in) start(caller_.sign_in(person));
        return;
    }
    auto& slot = dice_.pick(person.slots);
    const auto choice = dice_.below(100);
    if (choice < 30) return start(caller_.sync(person, ""));
    if (choice < 40) return start(caller_.look(person, "/api/calendar/status"));
    if (choice < 50) return start(caller_.look(person, "/api/calendar/calendars"));
    if (slot.is_busy) return;
    if (choice < 60) return start(caller_.disconnect(person, slot));
    const auto first = static_cast<std::size_t>(&slot - person.slots.data()) * 2;
    start(caller_.connect(person, slot, person.accounts[first + (dice_.chance(30) ? 1 : 0)]));
}

void World::start(Task<> task) {
    boost::asio::co_spawn(host().time.executor(), std::move(task), boost::asio::detached);
}

void World::advance(milliseconds duration) {
    const auto end = host().time.now() + duration;
    const auto is_interrupted = [this] { return host().crash_points.is_crashed || !is_well(); };
    while (host().time.now() < end && is_well()) {
        host().time.advance_until(is_interrupted, end - host().time.now());
        for (auto& invariant : invariants_) invariant->looked();
        if (host().crash_points.is_crashed) crash();
    }
}

void World::crash() {
    trace_.add("crash");
    ++crashes_;
    if (is_trouble_ && dice_.chance(10)) tamper();
    host().crash_and_restart();
    for (auto& invariant : invariants_) invariant->restarted();
}

/// Somebody with the disk but not the keys puts one row's sealed tokens into another.
void World::tamper() {
    const auto rows = stored_connections(host());
    // Once: putting a row's own older value back cannot be told from the value.
    if (rows.size() < 2 || !scene_.people.tampered.empty()) return;
    const auto from = dice_.below(rows.size());
    const auto& victim = rows[(from + 1) % rows.size()];
    trace_.add("tamper " + victim.id);
    scene_.people.tampered.insert(victim.id);
    test::must(host().time.wait(host().worker().database().write([&](storage::Sql& sql) {
        auto done = sql.execute(
            "UPDATE connections SET (sealed_access_token, sealed_refresh_token) = "
            "(SELECT sealed_access_token, sealed_refresh_token FROM connections WHERE id = $2) "
            "WHERE id = $1",
            {victim.id, rows[from].id});
        return done ? Result<void>{} : Result<void>(fail(done.error()));
    })));
}

void World::come_to_rest() {
    trace_.add("rest");
    is_trouble_ = false;
    faults_.heal();
    const auto end = host().time.now() + kRest;
    while (is_well() && host().time.now() < end) {
        for (auto& person : scene_.people.all) reconnect_what_broke(person);
        const bool was_at_rest = is_at_rest();
        advance(std::chrono::minutes{15});
        // A poll must have seen what was written last.
        if (is_well() && was_at_rest && is_at_rest()) break;
    }
    if (!is_well()) return;
    for (auto& invariant : invariants_) invariant->at_rest();
}

void World::reconnect_what_broke(Person& person) {
    if (person.credentials.size() == 0 && !person.is_signing_in) start(caller_.sign_in(person));
    if (person.credentials.size() == 0) return;
    for (const auto& row : stored_connections(host()))
        for (auto& slot : person.slots) {
            const bool is_its =
                row.account == slot.label && std::ranges::count(person.accounts, row.email) > 0;
            if (is_its && row.state != "active" && !slot.is_busy)
                start(caller_.connect(person, slot, row.email));
        }
}

/// Nobody does anything, every connection works, and the only jobs are polls and schedules in the
/// future.
bool World::is_at_rest() {
    for (const auto& person : scene_.people.all)
        if (person.running > 0 || person.credentials.size() == 0) return false;
    for (const auto& row : stored_connections(host()))
        if (row.state != "active") return false;
    bool has_work = false;
    const auto see = [&](const storage::Row& row) {
        const bool comes_again = row.text(0) == "sync" || row.text(0) == "schedule";
        has_work |= !comes_again || row.text(1) != "waiting" || row.integer(2) > 0;
    };
    test::must(host().sql().query("SELECT kind, status, attempts FROM jobs", {}, see));
    return !has_work;
}

}  // namespace calhost::simulation
