/// Connecting a calendar whose service is at an address that a person enters, with a password made
/// for this host (kinds basic and form): looked at, signed in to and stored in one go.
#pragma once

#include "connect/field_form.h"
#include "connect/services.h"
#include "storage/connections.h"

namespace calhost::connect {

struct FieldForm {
    std::string user_id;
    std::string provider;
    std::string account = "primary";
    std::string purpose = "full";
    EnteredFields fields;
    std::string request_id{};  ///< for the audit log
};

/// Why it did not work. `word` is the stable code of the answer: invalid, address_refused,
/// address_unreachable, no_calendar_server, credentials_refused, no_calendars; any other is the
/// word of `error`, and no field is to blame then.
struct FieldFailure {
    std::string word;
    std::vector<FieldProblem> fields;
    Error error;
};

/// *Thread*: any worker's.
class FieldFlow {
  public:
    explicit FieldFlow(Services& services) : services_(&services) {}

    /// Checks the form, looks whether anything answers at the address, without the password; then
    /// finds the account and its calendars, and stores them with the sealed password and the first
    /// sync's job. Of a failure nothing stays. An address that the host may not ask always gives
    /// the same answer, so that nobody maps the operator's network with it.
    Task<std::expected<storage::Connection, FieldFailure>> connect(FieldForm form);

  private:
    struct Found;

    Task<Result<void>> look(const plugin::Account& account);
    Task<Result<Found>> find(plugin::Provider& provider, ReadForm form, std::string id);
    Task<Result<storage::Connection>> store(const FieldForm& form, Found found);

    Services* services_;
};

}  // namespace calhost::connect
