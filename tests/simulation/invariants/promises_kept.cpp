#include "simulation/invariants/promises_kept.h"

#include "storage/users.h"

namespace calhost::simulation {

void PromisesKept::compare() {
    const auto rows = stored_connections(host());
    for (const auto& person : scene_->people.all) {
        const auto user = test::must(storage::find_user_by_email(host().sql(), person.email));
        if (person.is_registered && !user)
            violated("promises kept: " + person.name + " was registered and is not there");
        std::vector<StoredConnection> own;
        for (const auto& row : rows)
            if (user && row.user_id == user->id) own.push_back(row);
        for (const auto& slot : person.slots) compare_slot(person, slot, own);
    }
}

void PromisesKept::compare_slot(const Person& person, const Slot& slot,
                                const std::vector<StoredConnection>& rows) {
    const auto row = std::ranges::find(rows, slot.label, &StoredConnection::account);
    const auto name = person.name + "'s calendar " + slot.label;
    if (slot.promise == Slot::Promise::absent && row != rows.end())
        violated("promises kept: " + name + " was disconnected and is there");
    if (slot.promise != Slot::Promise::present) return;
    if (row == rows.end())
        violated("promises kept: " + name + " was connected and is not there");
    else if (row->email != slot.account)
        violated("promises kept: " + name + " was connected with another account");
}

}  // namespace calhost::simulation
