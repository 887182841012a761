/// `Idempotency-Key` (http-api section 1): an unsafe call that is sent again is not done again.
///
/// A key is claimed, durably, before the call runs; its answer is stored, sealed, after it has run.
/// What that promises:
/// - While the run goes on, and for a day after an answer that succeeded (below 400) was stored,
///   nothing runs a second time.
/// - The effect and the stored answer are two transactions. A host that is killed between them has
///   done the call and does not know it: the key is free again (at the next start, or when the
///   lease of two minutes ends) and the next try runs the call once more. The same holds for a call
///   that outlives its lease, and for an answer that the disk refused. So this is "at least once"
///   over a crash and "once" otherwise; what must be once over a crash has a key of its own in its
///   own transaction, as bookings have their id and version.
/// - An answer that refused or failed (400 and above) changed nothing that a new try would double:
///   the key is free again, so that a mended body or a healed provider is not met by the old
///   answer.
/// - An answer with a secret (`Cache-Control: no-store`, or a cookie), one that streams, and one
///   over 256 KiB is never stored. If it told of something new (201), a repeat is told so (409
///   `idempotency_answer_not_kept`) instead of making a second one; else the repeat runs.
#pragma once

#include "api/context.h"

namespace calhost::api {

/// The request asks for it: an unsafe method and the header.
bool is_idempotent_call(const net::Request& request);

/// Runs the function, or gives the answer of the run before: with `Idempotent-Replayed: true`, 422
/// `idempotency_key_reused` for another body or query, 409 `idempotency_key_in_use` with
/// Retry-After while it runs.
Task<net::Response> answer_once(Context& context, net::Request& request,
                                accounts::Principal principal, UserFunction function);

}  // namespace calhost::api
