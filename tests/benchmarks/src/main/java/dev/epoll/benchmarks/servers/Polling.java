package dev.epoll.benchmarks.servers;

/** On what a poller runs: a thread of its own, or those of the ones that it resumes. */
public enum Polling {
  /** Of its own. */
  own,
  /** Theirs. */
  sub
}
