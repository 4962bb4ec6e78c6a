// Holding the other threads of this process for good, so that one can clean up after them.
#pragma once

namespace effdet::cli {

/// Takes what freeze_other_threads() needs. Call it before the process may run out of memory or descriptors.
void prepare_to_freeze();

/// Returns when no other thread runs code of the program any more, or after a tenth of a second where one hangs in the
/// kernel; that one goes no further when it comes back. Takes no memory. The process can only end after this.
void freeze_other_threads();

}  // namespace effdet::cli
