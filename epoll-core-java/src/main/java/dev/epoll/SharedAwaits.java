package dev.epoll;

import dev.epoll.sys.Errno;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Awaits by the bare number of an fd: those of one number share a registration, which goes when the
 * last of them ends.
 *
 * <p>Thread: every method from any. {@code lock} is never held while a waiter runs. Lock order:
 * this lock, then that of {@link Registrations}.
 */
final class SharedAwaits {
  private static final int MAX_ATTEMPTS = 3;

  private final Registrations registrations;
  private final ReentrantLock lock = new ReentrantLock();
  private final Map<Integer, SharedRegistration> byFd = new HashMap<>();

  SharedAwaits(Registrations registrations) {
    this.registrations = registrations;
  }

  /** A registration and how many awaits of its number there are, which keep it if it is ours. */
  private static final class SharedRegistration {
    final Registration registration;
    final boolean isOurs;
    int awaits;

    SharedRegistration(Registration registration, boolean isOurs) {
      this.registration = registration;
      this.isOurs = isOurs;
    }
  }

  Cancellable arm(int fd, Interest interest, Waiter waiter) throws IOException {
    for (int attempt = 1; ; attempt++) {
      try {
        return armOnce(fd, interest, waiter);
      } catch (ClosedRegistrationException | SyscallException e) {
        if (attempt == MAX_ATTEMPTS || !isOutdated(e)) {
          throw e;
        }
      }
    }
  }

  /**
   * Whether the registration that was found turned out to be of the number's last owner, and is
   * gone by now: it was closed in between (closed, EEXIST), or the fd was, and those who waited for
   * it have been told (ENOENT).
   */
  private static boolean isOutdated(IOException e) {
    return !(e instanceof SyscallException failure)
        || failure.errno() == Errno.ENOENT.number
        || failure.errno() == Errno.EEXIST.number;
  }

  private Cancellable armOnce(int fd, Interest interest, Waiter waiter) throws IOException {
    SharedAwait await = new SharedAwait(acquire(fd), waiter);
    try {
      // Anew, because nobody told us if the number has a new owner since somebody else began to
      // wait.
      await.shared.registration.arm(interest, await, true);
    } catch (IOException e) {
      letGo(await.shared, e);
      throw e;
    } catch (Throwable e) {
      release(await.shared);
      throw e;
    }
    return await;
  }

  /**
   * After a failure. Whoever awaits the number from now on starts afresh if the registration is of
   * its last owner, though others may let go of it only later; else they join it as before, for to
   * register would find it again, and not know that it is ours.
   */
  private void letGo(SharedRegistration shared, IOException cause) {
    if (isOutdated(cause)) {
      forget(shared);
    }
    release(shared);
  }

  private SharedRegistration acquire(int fd) throws IOException {
    WaiterQueue.Batch orphans = new WaiterQueue.Batch();
    lock.lock();
    try {
      SharedRegistration shared = byFd.get(fd);
      if (shared == null || shared.registration.isClosed()) {
        shared = register(fd, orphans);
        byFd.put(fd, shared);
      }
      shared.awaits++;
      return shared;
    } finally {
      lock.unlock();
      registrations.tellOrphans(orphans);
    }
  }

  private SharedRegistration register(int fd, WaiterQueue.Batch orphans) throws IOException {
    try {
      return new SharedRegistration(registrations.open(fd, orphans), true);
    } catch (SyscallException e) {
      Registration registered = e.errno() == Errno.EEXIST.number ? registrations.find(fd) : null;
      if (registered == null) {
        throw e;
      }
      return new SharedRegistration(registered, false);
    }
  }

  private void release(SharedRegistration shared) {
    lock.lock();
    try {
      if (--shared.awaits == 0) {
        forget(shared);
        if (shared.isOurs) {
          // Under the lock, or else an await that begins now would find the fd registered and join
          // what is about to close. Nobody waits on it, so no waiter runs here.
          shared.registration.close();
        }
      }
    } finally {
      lock.unlock();
    }
  }

  private void forget(SharedRegistration shared) {
    lock.lock();
    try {
      byFd.remove(shared.registration.fd(), shared);
    } finally {
      lock.unlock();
    }
  }

  /**
   * One await, which lets go of the registration before its waiter is told, so that the waiter
   * finds it gone.
   */
  private final class SharedAwait implements Waiter, Cancellable {
    final SharedRegistration shared;
    private final Waiter waiter;

    SharedAwait(SharedRegistration shared, Waiter waiter) {
      this.shared = shared;
      this.waiter = waiter;
    }

    @Override
    public void ready(Readiness readiness) {
      release(shared);
      waiter.ready(readiness);
    }

    @Override
    public void failed(IOException cause) {
      letGo(shared, cause);
      waiter.failed(cause);
    }

    @Override
    public boolean cancel() {
      if (!shared.registration.cancel(this)) {
        return false;
      }
      release(shared);
      return true;
    }
  }
}
