package dev.epoll.sys;

class JnrSyscallsTest extends SyscallsContract {
  JnrSyscallsTest() {
    super("jnr");
  }
}
