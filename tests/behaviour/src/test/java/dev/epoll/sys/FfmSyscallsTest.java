package dev.epoll.sys;

import org.junit.jupiter.api.condition.EnabledForJreRange;

@EnabledForJreRange(minVersion = 22)
class FfmSyscallsTest extends SyscallsContract {
  FfmSyscallsTest() {
    super("ffm");
  }
}
