package dev.epoll;

import java.util.ArrayList;
import java.util.List;

/** The operations of {@link RegistrationOperations} one at a time, without tokens and locks. */
public class RegistrationSpecification {
  private boolean isRegistered;
  private List<Integer> waiting = new ArrayList<>();

  /** Whether the kernel was armed, and has not disarmed itself as far as the poller knows. */
  private boolean isArmed;

  /** How often a registration began or armed: an event counts only if it is of the last time. */
  private int arms;

  // The kernel's side
  private boolean isInSet;
  private boolean isArmedInKernel;
  private boolean isReady;
  private boolean isReported;
  private int reportedArm;

  private String failWaiting() {
    List<String> told = new ArrayList<>();
    waiting.forEach(waiter -> told.add(waiter + " failed"));
    waiting = new ArrayList<>();
    return told.toString();
  }

  public String open() {
    if (isRegistered && isInSet) {
      return "EEXIST[]";
    }
    String told = failWaiting();
    isRegistered = true;
    isInSet = true;
    isArmed = false;
    isArmedInKernel = false;
    arms++;
    return "opened" + told;
  }

  public String close() {
    if (isRegistered) {
      isRegistered = false;
      isInSet = false;
      isArmedInKernel = false;
    }
    return failWaiting();
  }

  public String arm(int waiter) {
    if (!isRegistered) {
      return "closed[]";
    }
    if (waiting.contains(waiter)) {
      return "waits already[]";
    }
    if (!isArmed && !isInSet) {
      return "ENOENT" + failWaiting();
    }
    waiting.add(waiter);
    if (!isArmed) {
      isArmed = true;
      isArmedInKernel = true;
      arms++;
    }
    return "waits[]";
  }

  public void closeFd() {
    isInSet = false;
    isArmedInKernel = false;
    isReady = false;
  }

  public void makeReady() {
    isReady = true;
  }

  public void harvest() {
    if (!isReported && isReady && isArmedInKernel) {
      isReported = true;
      isArmedInKernel = false;
      reportedArm = arms;
    }
  }

  public String round() {
    List<String> told = new ArrayList<>();
    if (isReported && isRegistered && isArmed && reportedArm == arms) {
      waiting.forEach(waiter -> told.add(waiter + " ready"));
      waiting = new ArrayList<>();
      isArmed = false;
    }
    isReported = false;
    return told.toString();
  }

  public boolean isWatched() {
    return isInSet;
  }
}
