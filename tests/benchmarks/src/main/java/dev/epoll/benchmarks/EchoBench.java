package dev.epoll.benchmarks;

import java.util.ArrayList;
import java.util.List;

/** How many messages a server on one core sends back. */
final class EchoBench implements Bench {
  @Override
  public void run(Machine machine, Effort effort, Peers peers) {
    List<Peer> servers = new ArrayList<>();
    peers.c("level").ifPresent(servers::add);
    peers.c("oneshot").ifPresent(servers::add);
    servers.add(peers.coroutines("stream", "poller"));
    servers.add(peers.coroutines("await", "poller"));
    servers.add(peers.netty());
    try (Sitting sitting = new Sitting(machine, effort, servers)) {
      for (int connections : new int[] {64, 2000}) {
        EchoTable.print(connections, servers.get(0).name(), sitting.measure(connections));
      }
    }
  }
}
