package dev.epoll;

/** What a {@link Poller} is made of, but for its thread, over {@link CallsThatSucceed}. */
class CoreUnderStress {
  static final FailureCause CLOSED = () -> new ClosedPollerException("closed");

  final CallsThatSucceed kernel = new CallsThatSucceed();
  final Registrations registrations;
  final Wakeup wakeup;
  final PollLoop loop;

  CoreUnderStress() {
    try {
      Counters counters = new Counters();
      EpollFd epoll = EpollFd.open(kernel.syscalls);
      wakeup = Wakeup.open(kernel.syscalls, counters, epoll);
      registrations = new Registrations(null, kernel.syscalls, epoll, wakeup, counters);
      PollerConfig config = PollerConfig.defaults().withBatchSize(1, 1);
      loop =
          new PollLoop(
              kernel.syscalls, config, epoll, wakeup, registrations, new Timers(), counters);
    } catch (SyscallException e) {
      throw new AssertionError(e);
    }
  }
}
