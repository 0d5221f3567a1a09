package dev.epoll;

import static dev.epoll.testing.LibC.C;

import dev.epoll.testing.FdKind;
import dev.epoll.testing.KernelFds;
import dev.epoll.testing.LibC;
import dev.epoll.testing.RandomRun;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Random openings, duplicates, closes, awaits, cancellations, bytes and half-closes of all kinds of
 * fds. After each: nobody waits whose fd is ready, nobody was told of another's readiness, and the
 * kernel's set is what the poller and the model have; at the end nothing is left.
 */
class PollerRandomTest {
  private static final int STEPS = 250;
  private static final int MAX_NUMBERS = 14;
  private static final int PLENTY = 64 * 1024;

  private static final List<Interest> INTERESTS =
      List.of(
          Interest.READABLE,
          Interest.READABLE,
          Interest.WRITABLE,
          Interest.PRIORITY,
          Interest.READABLE.or(Interest.WRITABLE));

  private static final byte[] TARGET = new byte[PLENTY];

  @TempDir private Path directory;

  private interface Opening {
    ModelledPoller open() throws IOException;
  }

  @Test
  void roundsRunByHandTellAllWhoAreReadyAndNobodyElse() {
    run(40, () -> ModelledPoller.byHand(directory));
  }

  @Test
  void aThreadTellsAllWhoAreReadyAndLeavesNothing() {
    run(20, () -> ModelledPoller.withThread(directory));
  }

  private static void run(int times, Opening opening) {
    Poller.shared(); // which stays open
    var before = KernelFds.openNow();
    RandomRun.repeat(
        times,
        run -> {
          try (ModelledPoller poller = opening.open()) {
            for (int i = 0; i < STEPS; i++) {
              step(run, poller);
              poller.settle();
            }
          }
          KernelFds.assertNoneSince(before);
        });
  }

  private static void step(RandomRun run, ModelledPoller poller) throws Exception {
    List<Integer> numbers = poller.numbers();
    if (numbers.isEmpty() || (numbers.size() < MAX_NUMBERS && run.below(12) == 0)) {
      FdKind kind = run.oneOf(List.of(FdKind.values()));
      run.step("open " + kind);
      poller.open(kind);
      return;
    }
    int number = run.oneOf(numbers);
    switch (run.below(8)) {
      case 0 -> changeNumber(run, poller, number);
      case 1 -> {
        run.step("register " + number);
        poller.register(number);
      }
      case 2 -> {
        Interest interest = run.oneOf(INTERESTS);
        run.step("await " + interest + " by number " + number);
        poller.armNumber(number, interest);
      }
      case 3, 4 -> onRegistration(run, poller);
      case 5 -> {
        if (!poller.waiting().isEmpty()) {
          ModelledPoller.Await await = run.oneOf(poller.waiting());
          run.step("cancel " + await);
          poller.cancel(await);
        }
      }
      default -> move(run, poller, number);
    }
  }

  private static void changeNumber(RandomRun run, ModelledPoller poller, int number) {
    switch (run.below(poller.numbers().size() < MAX_NUMBERS ? 4 : 3)) {
      case 3 -> {
        run.step("dup " + number);
        poller.duplicate(number);
      }
      case 0 -> {
        int target = run.oneOf(poller.numbers());
        run.step("dup2 " + number + " over " + target);
        poller.duplicateOver(number, target);
      }
      case 1 -> {
        run.step("close registration and fd " + number);
        poller.registrations().stream()
            .filter(it -> it.number == number)
            .forEach(poller::closeRegistration);
        poller.close(number);
      }
      default -> {
        run.step("close " + number);
        poller.close(number);
        poller.armClosedNumber(number);
      }
    }
  }

  private static void onRegistration(RandomRun run, ModelledPoller poller) throws Exception {
    if (poller.registrations().isEmpty()) {
      return;
    }
    ModelledPoller.Watched it = run.oneOf(poller.registrations());
    Interest interest = run.oneOf(INTERESTS);
    int choice = run.below(8);
    if (choice == 0) {
      run.step("close " + it);
      poller.closeRegistration(it);
    } else if (choice < 6 && it.isIntact() && poller.kindOf(it.number).isStreamSocket()) {
      Interest direction = choice < 4 ? Interest.READABLE : Interest.WRITABLE;
      run.step("await an edge of " + direction + " on " + it);
      poller.armAfterBlocking(it, direction, () -> meanwhile(run, poller, it.number));
    } else {
      run.step("await " + interest + " on " + it);
      poller.arm(it, interest);
    }
  }

  /** Something that may make {@code number} ready, and that the poller sees, or nothing. */
  private static void meanwhile(RandomRun run, ModelledPoller poller, int number) throws Exception {
    if (run.below(2) == 0) {
      List<Integer> alike =
          poller.numbers().stream()
              .filter(other -> poller.kindOf(other) == poller.kindOf(number))
              .toList();
      move(run, poller, run.oneOf(alike));
      poller.pass();
    }
  }

  private static void move(RandomRun run, ModelledPoller poller, int number) throws IOException {
    switch (run.below(6)) {
      case 0, 1 -> {
        run.step("write to " + number);
        poller.write(number, 1);
      }
      case 2 -> {
        run.step("fill " + number);
        for (int i = 0; i < 4; i++) {
          poller.write(number, PLENTY);
        }
      }
      case 3 -> {
        run.step("read a byte of " + number);
        C.read(number, TARGET, 1);
      }
      case 4 -> {
        run.step("read all of " + number);
        for (int i = 0; i < 8; i++) {
          C.read(number, TARGET, PLENTY);
        }
      }
      default -> {
        if (poller.kindOf(number).isSocket()) {
          int how = run.oneOf(List.of(LibC.SHUT_RD, LibC.SHUT_WR, LibC.SHUT_RDWR));
          run.step("shutdown " + how + " of " + number);
          C.shutdown(number, how);
        }
      }
    }
  }
}
