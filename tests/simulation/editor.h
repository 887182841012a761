/// What happens at the provider without the host: people edit their calendars there, and take back
/// what they granted.
#pragma once

#include <map>

#include "simulation/dice.h"
#include "simulation/invariant.h"

namespace calhost::simulation {

/// *Thread*: one.
class Editor {
  public:
    Editor(Scene& scene, Trace& trace, Dice& dice) : scene_(&scene), trace_(&trace), dice_(&dice) {}

    /// One edit of the account's calendar: create, move, rename, delete, or one occurrence.
    void edit(const std::string& account);
    /// "revoke" (of `account`), "expire-tokens", "expire-sync-tokens": as the control API names it.
    void order(const std::string& path, const json::value& body = json::object{});

  private:
    struct Made {
        std::string id;
        bool is_series = false;
        bool is_all_day = false;
        Timestamp start;
        int count = 1;
        int step_days = 1;
    };

    void create(const std::string& account);
    void change(const std::string& account, std::size_t which);
    void change_occurrence(const std::string& account, const Made& series);
    json::object times(bool is_all_day, Timestamp start);
    net::Response send(std::string method, std::string path, const json::value& body);

    Scene* scene_;
    Trace* trace_;
    Dice* dice_;
    std::map<std::string, std::vector<Made>> made_;  ///< by account
    int titles_ = 0;
};

}  // namespace calhost::simulation
