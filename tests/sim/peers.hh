#pragma once
// The peers of the server: senders, sinks and readers, coroutines in one process of their own.

#include <memory>
#include <string>

#include "conversation.hh"
#include "kurir/coro/scope.hh"
#include "kurir/io/core.hh"
#include "ledger.hh"
#include "plan.hh"

namespace kurir::sim {

class Peers {
 public:
  Peers(io::simulated::World& world, const Plan& plan, Ledger& ledger);

  // What the process runs: all of it until stop().
  void run();
  bool senders_are_done() const { return senders_running_ == 0; }
  // Nobody deletes any more: a look sees what is there.
  bool readers_are_done() const { return readers_running_ == 0; }
  // Sinks take everything from now on.
  void calm_down() { is_calm_ = true; }
  // Reads all mailboxes once; `done` says so. From the world's side.
  struct Look {
    bool is_over = false, is_complete = false;
  };
  void look(Look& look);
  // Whether the server answers at all.
  void stop();
  std::size_t late = 0;  // replies that did not come within Conversation::patience()

 private:
  Task<void> main();
  // sender.cc
  Task<void> send_all(unsigned sender);
  Task<bool> send_some(unsigned sender, std::size_t count);
  Task<bool> transact(Conversation& server, unsigned sender, bool is_submission);
  Task<unsigned> give_envelope(Conversation& server, SentMail& mail,
                               std::vector<std::string> wanted);
  std::vector<std::string> choose_recipients(bool is_submission);
  std::string make_content(const std::string& id);
  // sink.cc
  Task<void> listen(unsigned domain);
  Task<void> serve(io::Descriptor descriptor, unsigned domain);
  struct Transaction;
  Task<bool> take_command(Conversation& client, const std::string& line, Transaction& now);
  Task<bool> take_content(Conversation& client, Transaction& now);
  // reader.cc
  Task<void> read_now_and_then(unsigned reader);
  Task<bool> read_imap(std::string user, bool may_delete, bool is_last);
  Task<bool> read_folder(Conversation& server, std::string user, std::string folder,
                         bool may_delete, std::vector<Ledger::Seen>& seen);
  Task<bool> delete_one(Conversation& server, std::string user, Ledger::Seen message);
  Task<bool> read_pop3(std::string user);
  Task<void> look_at_all(Look& look);

  io::simulated::Random& random() { return world_.random(); }
  io::SocketAddress own_address();
  void note_late(const Conversation& server);

  io::simulated::World& world_;
  const Plan& plan_;
  Ledger& ledger_;
  Scope* scope_ = nullptr;
  Event stop_;
  std::vector<io::Listener*> listeners_;
  unsigned senders_running_, readers_running_;
  unsigned next_id_ = 0;
  bool is_calm_ = false;
  io::simulated::Process* process_ = nullptr;
  io::Core* core_ = nullptr;
};

}  // namespace kurir::sim
