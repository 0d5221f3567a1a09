package dev.epoll.sys;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

/**
 * What every backend does: each method of {@link Syscalls} is shown, by its effect, to be the
 * function whose name it has.
 */
abstract class SyscallsContract
    implements EpollCallsContract,
        DescriptorCallsContract,
        FileCallsContract,
        SocketCallsContract,
        MessageCallsContract,
        ObjectCallsContract,
        ErrnoContract {
  private final String name;
  private final Syscalls syscalls;

  SyscallsContract(String name) {
    this.name = name;
    this.syscalls = Backend.choose(name);
  }

  @Override
  public Syscalls syscalls() {
    return syscalls;
  }

  @Test
  void isTheBackendThatWasChosen() {
    assertEquals(name, syscalls.backend());
  }
}
