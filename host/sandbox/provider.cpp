#include "sandbox/provider.h"

#include "base/json.h"
#include "sandbox/parts.h"

namespace calhost::sandbox {
namespace {

constexpr milliseconds kLongStall = std::chrono::hours{1};

/// One more in a lane, until it is answered.
class InFlight {
  public:
    InFlight(std::map<std::string, int>& lanes, std::string lane)
        : lanes_(&lanes), lane_(std::move(lane)) {
        if (!lane_.empty()) count = ++lanes[lane_];
    }
    ~InFlight() {
        if (!lane_.empty() && --(*lanes_)[lane_] == 0) lanes_->erase(lane_);
    }
    InFlight(const InFlight&) = delete;
    InFlight& operator=(const InFlight&) = delete;

    int count = 0;

  private:
    std::map<std::string, int>* lanes_;
    std::string lane_;
};

net::Response not_json() {
    return net::Response::html(200, "<!doctype html><title>Sign in</title><p>Not JSON.");
}

/// The answer that faults leave of what the provider says.
Task<Outcome> serve_with_fault(Provider::Parts& parts, net::Request& request,
                               std::optional<Fault> fault) {
    using Kind = Fault::Kind;
    Outcome outcome;
    if (fault && fault->kind == Kind::stall) {
        if (fault->delay == milliseconds{0}) co_await parts.world.timers.sleep(kLongStall);
        outcome.cut = Cut::reset;
    } else if (fault && fault->kind == Kind::reset) {
        outcome.cut = Cut::reset;
    } else if (fault && fault->kind == Kind::html) {
        outcome.response = not_json();
    } else if (fault && fault->kind == Kind::status) {
        outcome.response = parts.refusal(*fault, request);
        dress(outcome.response, *fault, parts.world.clock.now());
    } else {
        outcome.response = co_await parts.answer(request);
        if (fault && fault->kind == Kind::lost_reply) outcome.cut = Cut::reset;
        if (fault && fault->kind == Kind::truncate) outcome.cut = Cut::truncate;
    }
    co_return outcome;
}

}  // namespace

Provider::Provider(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Provider::~Provider() = default;

Task<Outcome> Provider::serve(net::Request& request) {
    auto& world = parts_->world;
    const auto lane = parts_->lane(request);
    const InFlight in_flight(parts_->in_flight, lane);
    Outcome outcome;
    if (auto busy = parts_->throttle(request, lane, in_flight.count)) {
        outcome.response = std::move(*busy);
    } else {
        const auto fault = world.faults.take(request.method, request.path);
        const auto wait = world.latency + (fault ? fault->delay : milliseconds{0});
        if (wait > milliseconds{0}) co_await world.timers.sleep(wait);
        outcome = co_await serve_with_fault(*parts_, request, fault);
    }
    world.ledger.add_request(request.method, request.path,
                             outcome.cut == Cut::reset ? 0 : outcome.response.status);
    if (outcome.cut == Cut::truncate)
        outcome.response.body.resize(outcome.response.body.size() / 2);
    if (outcome.cut == Cut::reset) outcome.response.body.clear();
    co_return outcome;
}

Task<net::Response> Provider::handle(net::Request& request) {
    auto outcome = co_await serve(request);
    if (outcome.cut != Cut::none) outcome.response.headers.set("Connection", "close");
    co_return std::move(outcome.response);
}

Task<net::Response> Provider::control(net::Request& request) {
    co_return serve_control(*this, *parts_, request);
}

void Provider::add_account(std::string email, std::string name, std::string time_zone) {
    Account account;
    account.email = email;
    account.name = std::move(name);
    account.zone = std::move(time_zone);
    account.subject = parts_->subject_of(email);
    account.list_generation = parts_->world.options.first_generation;
    account.add_calendar(parts_->primary_id_of(email), email, true).generation =
        account.list_generation;
    parts_->prepare(account);
    parts_->world.accounts.insert_or_assign(std::move(email), std::move(account));
}

std::string Provider::save_grants() const { return json::serialize(parts_->grants.save()); }

void Provider::restore_grants(std::string_view text) {
    if (const auto memory = json::parse(text)) parts_->grants.restore(*memory);
}

void Provider::on_notification(std::function<void(net::ClientRequest)> deliver) {
    parts_->world.deliver = std::move(deliver);
}

}  // namespace calhost::sandbox
