package dev.epoll;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** An operation of a model, which may tell waiters on the thread that calls it. */
@FunctionalInterface
interface Telling {
  String run() throws IOException;

  /** What the operation on the calling thread has told, in order. */
  ThreadLocal<List<String>> told = new ThreadLocal<>();

  /** What {@code operation} returned, and whom it told what. */
  static String outcomeOf(Telling operation) {
    told.set(new ArrayList<>());
    String outcome;
    try {
      outcome = operation.run();
    } catch (ClosedRegistrationException e) {
      outcome = "closed";
    } catch (SyscallException e) {
      outcome = e.errnoName();
    } catch (IllegalStateException e) {
      outcome = "waits already";
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    return outcome + told.get();
  }

  /** A waiter that goes by a number. */
  record Told(int number) implements Waiter {
    @Override
    public void ready(Readiness readiness) {
      told.get().add(number + " ready");
    }

    @Override
    public void failed(IOException cause) {
      told.get().add(number + " failed");
    }
  }
}
