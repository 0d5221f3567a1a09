package dev.epoll;

/** What a {@link Poller} is made of, but for its thread, over a {@link KernelInMemory}. */
final class Core {
  final KernelInMemory kernel = new KernelInMemory();
  final Counters counters = new Counters();
  final Timers timers = new Timers();
  final EpollFd epoll;
  final Wakeup wakeup;
  final Registrations registrations;
  final PollLoop loop;

  @SuppressWarnings("NullAway") // nothing here asks a registration for its poller
  Core() {
    try {
      epoll = EpollFd.open(kernel.syscalls);
      wakeup = Wakeup.open(kernel.syscalls, counters, epoll);
      registrations = new Registrations(null, kernel.syscalls, epoll, wakeup, counters);
      PollerConfig config = PollerConfig.defaults().withBatchSize(4, 4).withTasksPerRound(4);
      loop = new PollLoop(kernel.syscalls, config, epoll, wakeup, registrations, timers, counters);
    } catch (SyscallException e) {
      throw new AssertionError(e);
    }
  }
}
