/// Nothing secret is on the disk as it is: not in a column, not in a page, not in the log.
#pragma once

#include "simulation/invariant.h"

namespace calhost::simulation {

class NothingInTheClear final : public Invariant {
  public:
    explicit NothingInTheClear(Scene& scene);
    ~NothingInTheClear() override;
    NothingInTheClear(const NothingInTheClear&) = delete;
    void restarted() override { look_everywhere(); }
    void at_rest() override { look_everywhere(); }

  private:
    void look_everywhere();
    void look_into(const std::string& where, std::string_view text);
    std::string columns();

    std::string log_;  ///< since the last look
};

}  // namespace calhost::simulation
