/// Mail to people: one message at a time, through the operator's server.
#pragma once

#include <memory>
#include <string>

#include "base/mail_address.h"
#include "base/secret.h"
#include "base/task.h"
#include "base/time.h"

namespace calhost::net {

struct Mail {
    MailAddress to;
    std::string subject;  ///< one line
    std::string text;     ///< UTF-8; lines of any length, ended as you like
    /// Letters, digits and '-': the same for each attempt at the same mail, so that one that came
    /// through twice can be told. May be empty.
    std::string key;
};

/// *Thread*: any; the answer comes back on the caller's executor.
class Mailer {
  public:
    virtual ~Mailer() = default;
    /// Waits until the server has taken the message. *Errors*: invalid: the message makes no sense,
    /// or the server refuses it or its recipient for good; misconfigured: certificate, user name
    /// or password; unavailable and timeout: later, where after a timeout it may be there already.
    virtual Task<Result<void>> send(Mail mail) = 0;
    /// Cuts what is under way; later calls answer `unavailable`.
    virtual void close() = 0;
};

struct MailServer {
    /// "smtp://mail.example.org:587" (STARTTLS where the server offers it, and always when there is
    /// a password, except on loopback) or "smtps://…".
    std::string url;
    std::string username;  ///< empty: no sign-in
    Secret password;
    MailAddress from;
    milliseconds timeout{30'000};  ///< of one message
    std::string authorities;       ///< a PEM file; empty: those of the system
};

/// Two messages at a time, on threads of its own. *Ownership*: the clock outlives it. Clean-up:
/// `close` comes before the end of its callers' io_contexts.
std::unique_ptr<Mailer> make_smtp_mailer(MailServer server, const Clock& clock);

/// The message as it goes over the wire, RFC 5322 with the headers of RFC 2047 and the body as
/// quoted-printable. *Errors*: invalid: a line break in a header, or text that is no UTF-8.
Result<std::string> write_mail(const Mail& mail, const MailAddress& from, Timestamp at);

}  // namespace calhost::net
