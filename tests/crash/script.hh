#pragma once
// Script: what happens to a shard before a crash, a letter an operation; and what must be true of
// the shard that a start makes of what is left.
//
//   L R   a small message for a local, a remote recipient     Y X   large ones, in extents
//   D     delivers the oldest local one                        S P B relays, puts off, bounces the
//   W     waits until outcomes are on the disk                       oldest remote one
//   a     appends to INBOX      f e  flags, expunges the oldest there
//   m c   moves, copies the oldest of INBOX to the other folder
//   C     mail segments of which more than a third is dead are emptied and freed
//   n r d makes, renames, deletes a folder   K  a checkpoint   T  two seconds pass

#include <string>
#include <vector>

#include "ledger.hh"
#include "shard_house.hh"

namespace kurir::crash {

class Script {
 public:
  Script(ShardHouse& house, Ledger& ledger) : house_(house), ledger_(ledger) {}
  Task<void> run(std::string letters);

 private:
  Task<void> operate(char letter);
  Task<void> accept(bool is_local, bool is_large);
  Task<void> deliver();
  void relay(queue::RecipientState state);
  Task<void> sync();
  Task<void> append();
  Task<void> change(char letter);
  Task<void> transfer(bool moves);
  Task<void> folder(char letter);
  Task<Result<MailboxId>> mailbox(std::string name);
  queue::Job* oldest(bool is_local);

  ShardHouse& house_;
  Ledger& ledger_;
  std::vector<std::pair<Ledger::Key, std::size_t>> unsynced_;  // ends of remote messages
};

// Adds to `violations` what is not as promised.
Task<void> check(ShardHouse& house, Ledger& ledger, std::vector<std::string>& violations);

}  // namespace kurir::crash
