package dev.epoll.simulation;

import dev.epoll.sys.Errno;
import java.util.Map;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/** Weather that gets better and worse. */
public final class Storm implements SimulatedKernel.Weather {
  /** What epoll_ctl(2), epoll_wait(2) and the write(2) of a wakeup to its eventfd may fail with. */
  private static final Map<String, Errno[]> ERRNOS =
      Map.of(
          "ADD", new Errno[] {Errno.ENOMEM, Errno.ENOSPC},
          "MOD", new Errno[] {Errno.ENOMEM},
          "epollWait", new Errno[] {Errno.EINTR, Errno.EINTR, Errno.EINTR, Errno.EINVAL},
          "write", new Errno[] {Errno.EAGAIN});

  private final Chance chance;
  private final BiConsumer<String, Errno> told;
  private int strength;
  private boolean wasFull;

  /** {@code told} of each call that fails, and how. */
  public Storm(Chance chance, BiConsumer<String, Errno> told) {
    this.chance = chance;
    this.told = told;
  }

  /** How likely a call is to fail, an event to come late, and so on, in percent; 0 is calm. */
  public void blow(int percent) {
    strength = percent;
  }

  @Override
  public @Nullable Errno errnoFor(String call) {
    Errno[] possible = ERRNOS.get(call);
    if (possible == null || !chance.in100(strength)) {
      return null;
    }
    if (call.equals("write")) {
      // Full once: then it is read, and has room.
      wasFull = !wasFull;
      if (!wasFull) {
        return null;
      }
    }
    Errno errno = chance.anyOf(possible);
    told.accept(call, errno);
    return errno;
  }

  @Override
  public boolean repeats() {
    return chance.in100(strength / 2);
  }

  @Override
  public boolean defers() {
    return chance.in100(strength);
  }
}
