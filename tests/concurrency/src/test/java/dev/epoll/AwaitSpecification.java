package dev.epoll;

import dev.epoll.sys.Linux;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The operations of {@link AwaitOperations} one at a time, without tokens, tables and locks. */
public class AwaitSpecification {
  private static final int ALWAYS = Linux.EPOLLHUP | Linux.EPOLLERR;
  private static final int EVERYTHING =
      Linux.EPOLLIN | Linux.EPOLLOUT | Linux.EPOLLPRI | Linux.EPOLLRDHUP;

  private final Map<Integer, Integer> waiting = new LinkedHashMap<>();
  private boolean isClosed;

  private boolean isEdgeTriggered;
  private int edges;
  private int edgesSeen = -1;

  /** What the kernel was armed for, and not yet disarmed as far as the poller knows. */
  private int armed;

  /** How often the kernel was armed: an event counts only if it is of the last time. */
  private int arms;

  // The kernel's side
  private int ready;
  private int watched;
  private boolean isPending;
  private int reported;
  private int reportedArm;

  public String arm(int waiter) {
    if (isClosed) {
      return "closed[]";
    }
    if (waiting.containsKey(waiter)) {
      return "waits already[]";
    }
    waiting.put(waiter, AwaitOperations.INTERESTS.get(waiter).mask);
    if (isEdgeTriggered || (armed & wanted()) != wanted()) {
      armKernel();
    }
    return "waits[]";
  }

  public void lookAtEdges() {
    edgesSeen = edges;
  }

  public String armAfter(int waiter) {
    if (!isClosed && isEdgeTriggered && edges != edgesSeen) {
      return "try again[]";
    }
    if (isClosed || waiting.containsKey(waiter)) {
      return arm(waiter);
    }
    waiting.put(waiter, AwaitOperations.INTERESTS.get(waiter).mask);
    if (!isEdgeTriggered) {
      isEdgeTriggered = true;
      armKernel();
    }
    return "waits[]";
  }

  private int wanted() {
    return waiting.values().stream().reduce(0, (a, b) -> a | b);
  }

  private void armKernel() {
    arms++;
    armed = isEdgeTriggered ? EVERYTHING : wanted();
    watched = armed | ALWAYS;
    isPending = (ready & watched) != 0;
  }

  public boolean cancel(int waiter) {
    return waiting.remove(waiter) != null;
  }

  public void makeReady(int readiness) {
    ready = AwaitOperations.READINESS.get(readiness);
    // Even one that nobody has armed reports a hangup, once.
    isPending |= !isClosed && (ready & watched) != 0;
  }

  public void harvest() {
    if (reported == 0 && isPending) {
      reported = ready & watched;
      reportedArm = arms;
      watched = isEdgeTriggered ? watched : 0;
    }
    isPending &= reported == 0;
  }

  public String round() {
    List<String> told = new ArrayList<>();
    int mask = reported;
    reported = 0;
    if (mask == 0 || isClosed || armed == 0 || reportedArm != arms) {
      return told.toString();
    }
    for (int waiter : List.copyOf(waiting.keySet())) {
      if ((mask & (waiting.get(waiter) | ALWAYS)) != 0) {
        waiting.remove(waiter);
        told.add(waiter + " ready");
      }
    }
    if (isEdgeTriggered) {
      edges++;
    } else {
      armed = 0;
      if (!waiting.isEmpty()) {
        armKernel();
      }
    }
    return told.toString();
  }

  public String close() {
    List<String> told = new ArrayList<>();
    waiting.keySet().forEach(waiter -> told.add(waiter + " failed"));
    waiting.clear();
    if (!isClosed) {
      isClosed = true;
      isPending = false;
      watched = 0;
      edges++;
    }
    return told.toString();
  }
}
