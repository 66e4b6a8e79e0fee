#pragma once
// Ranges of uids or of sequence numbers are those of the wire. A set of them here is a sorted list
// whose ranges neither overlap nor touch, as wire::NumberSet::ranges() gives it.

#include "kurir/wire/imap_set.hh"

namespace kurir::mailbox {

using wire::NumberRange;

}  // namespace kurir::mailbox
