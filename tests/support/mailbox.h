/// What a host mails, kept instead of sent.
#pragma once

#include <vector>

#include "net/mail.h"

namespace calhost::test {

/// *Thread*: one.
class Mailbox final : public net::Mailer {
  public:
    Task<Result<void>> send(net::Mail mail) override {
        mails.push_back(std::move(mail));
        co_return outcome;
    }
    void close() override {}
    std::vector<net::Mail> mails;  ///< each attempt
    Result<void> outcome;
};

}  // namespace calhost::test
