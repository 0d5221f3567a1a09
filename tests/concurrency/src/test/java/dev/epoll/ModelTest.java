package dev.epoll;

import static org.jetbrains.lincheck.datastructures.ManagedStrategyGuaranteeKt.forClasses;

import dev.epoll.sys.ScratchMemory;
import org.jetbrains.kotlinx.lincheck.execution.ExecutionScenario;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.junit.jupiter.api.Test;

/**
 * Model checking: each scenario is run in all ways, up to a limit, in which its threads can take
 * turns, and what it returned must be what its operations return in some order, one at a time, by
 * the specification. The scenarios here are those that are known to be hard; the long form adds
 * random ones.
 */
class ModelTest {
  private static final boolean IS_LONG = "long".equals(System.getProperty("concurrency"));
  private static final int INTERLEAVINGS = IS_LONG ? 2_000 : 150;
  private static final int RANDOM_SCENARIOS = IS_LONG ? 10 : 0;

  private static void check(
      Class<?> operations, Class<?> specification, ExecutionScenario... scenarios) {
    check(RANDOM_SCENARIOS, operations, specification, scenarios);
  }

  private static void check(
      int randomScenarios,
      Class<?> operations,
      Class<?> specification,
      ExecutionScenario... scenarios) {
    ModelCheckingOptions options =
        new ModelCheckingOptions()
            .sequentialSpecification(specification)
            .iterations(randomScenarios)
            .invocationsPerIteration(INTERLEAVINGS)
            .threads(3)
            .actorsPerThread(3)
            .actorsBefore(3)
            .actorsAfter(4)
            // The loop that copies a table of 64 slots comes to its end, and waits for nobody.
            .loopBound(100)
            // What is in no race: a kernel's calls are one step each, whoever borrows memory for
            // them has it alone, a table is used under its owner's lock, and counts decide nothing.
            .addGuarantee(
                forClasses(
                        KernelInMemory.class.getName(),
                        EpollFd.class.getName(),
                        Core.class.getName(),
                        ByFd.class.getName(),
                        Readiness.class.getName(),
                        ScratchMemory.class.getName(),
                        "java.util.concurrent.atomic.LongAdder")
                    .allMethods()
                    .treatAsAtomic());
    for (ExecutionScenario scenario : scenarios) {
      options.addCustomScenario(scenario);
    }
    options.check(operations);
  }

  private static Scenario awaits() {
    return Scenario.of(AwaitOperations.class);
  }

  private static Scenario registrations() {
    return Scenario.of(RegistrationOperations.class);
  }

  private static Scenario sharedAwaits() {
    return Scenario.of(SharedAwaitOperations.class);
  }

  private static Scenario slots() {
    return Scenario.of(TokenTableOperations.class);
  }

  @Test
  void eachAwaitHasOneOutcomeWhateverComesTogether() {
    check(
        AwaitOperations.class,
        AwaitSpecification.class,
        awaits()
            .before("arm 0", "arm 1", "makeReady 0", "harvest")
            .thread("round")
            .thread("cancel 0", "arm 0")
            .thread("close")
            .after("cancel 0", "cancel 1", "arm 0"),
        awaits()
            .before("arm 0")
            .thread("cancel 0")
            .thread("cancel 0", "arm 0")
            .thread("arm 1", "arm 0")
            .after("makeReady 0", "harvest", "round"));
  }

  @Test
  void anEventOfAnEarlierArmTellsNobodyAndTheReadinessIsReportedAgain() {
    check(
        AwaitOperations.class,
        AwaitSpecification.class,
        awaits()
            .before("arm 0", "makeReady 0")
            .thread("harvest", "round")
            .thread("arm 2")
            .after("harvest", "round", "cancel 0", "cancel 2"),
        awaits()
            .before("arm 0", "makeReady 0", "harvest")
            .thread("round", "harvest", "round")
            .thread("cancel 0", "arm 2", "arm 0")
            .after("harvest", "round", "cancel 0", "cancel 2"));
  }

  @Test
  void whoStillWaitsIsArmedForAgain() {
    check(
        AwaitOperations.class,
        AwaitSpecification.class,
        awaits()
            .before("arm 0", "arm 2", "makeReady 0", "harvest")
            .thread("round")
            .thread("makeReady 1", "arm 1")
            .after("harvest", "round", "makeReady 0", "harvest", "round"),
        awaits()
            .before("arm 0", "arm 2")
            .thread("harvest", "round", "harvest", "round")
            .thread("makeReady 0", "makeReady 2")
            .after("harvest", "round", "cancel 2"));
  }

  @Test
  void noEdgeIsLostBetweenAReadAndItsAwait() {
    check(
        AwaitOperations.class,
        AwaitSpecification.class,
        awaits()
            .before("armAfter 2", "makeReady 1", "harvest", "round")
            .thread("lookAtEdges", "armAfter 0")
            .thread("makeReady 0", "harvest", "round")
            .after("harvest", "round", "cancel 0", "armAfter 1"),
        awaits()
            .before("armAfter 0", "makeReady 0", "harvest")
            .thread("round", "harvest", "round")
            .thread("lookAtEdges", "armAfter 1")
            .thread("arm 2", "close")
            .after("cancel 0", "cancel 1", "armAfter 1"));
  }

  @Test
  void aNumberThatIsOpenedAgainGetsNothingOfItsLastOwner() {
    check(
        RegistrationOperations.class,
        RegistrationSpecification.class,
        registrations()
            .before("open", "arm 0", "makeReady", "harvest")
            .thread("round")
            .thread("close", "open", "arm 1")
            .after("harvest", "round", "isWatched", "close"),
        registrations()
            .before("open", "arm 0", "makeReady", "harvest")
            .thread("round")
            .thread("closeFd", "open", "arm 1")
            .thread("close")
            .after("isWatched", "close", "isWatched"),
        registrations()
            .before("open", "arm 0", "closeFd")
            .thread("open", "arm 0")
            .thread("open", "isWatched")
            .thread("close")
            .after("isWatched", "makeReady", "harvest", "round"));
  }

  /** No random scenarios: what is asked here has a meaning only at the end. */
  @Test
  void noTaskIsLostToASleep() {
    check(
        0,
        SleepOperations.class,
        SleepSpecification.class,
        Scenario.of(SleepOperations.class)
            .thread("fallAsleep")
            .thread("post")
            .thread("post")
            .after("sleepsThroughATask"));
  }

  @Test
  void awaitsOfANumberShareARegistrationThatGoesWithTheLast() {
    check(
        SharedAwaitOperations.class,
        SharedAwaitSpecification.class,
        sharedAwaits()
            .before("arm 0", "makeReady", "harvest")
            .thread("round")
            .thread("cancel 0")
            .thread("arm 1")
            .after("isWatched", "harvest", "round", "isWatched"),
        sharedAwaits()
            .before("arm 0", "closeFd")
            .thread("arm 1")
            .thread("arm 2", "cancel 2")
            .thread("cancel 0")
            .after("isWatched", "makeReady", "harvest", "round", "isWatched"),
        sharedAwaits()
            .before("arm 0", "closeFd")
            .thread("arm 1")
            .thread("arm 2")
            .after("isWatched", "cancel 1", "cancel 2", "isWatched"),
        sharedAwaits()
            .before("arm 0")
            .thread("cancel 0", "open")
            .thread("arm 1", "cancel 1")
            .after("isWatched", "close", "isWatched"),
        sharedAwaits()
            .before("open")
            .thread("arm 0", "cancel 0")
            .thread("close")
            .thread("arm 1")
            .after("isWatched", "makeReady", "harvest", "round", "isWatched"));
  }

  @Test
  void aTimerIsTakenOnceOrCancelled() {
    check(
        TimerOperations.class,
        TimerSpecification.class,
        Scenario.of(TimerOperations.class)
            .before("add 0 2", "add 1 2")
            .thread("takeDue 2", "nanosToFirst", "takeDue 2")
            .thread("cancel 0", "add 2 1")
            .thread("cancel 1", "size")
            .after("takeDue 2", "size"),
        Scenario.of(TimerOperations.class)
            .before("add 0 1")
            .thread("takeDue 1", "takeEnded", "takeEnded")
            .thread("add 1 1", "cancel 1")
            .thread("cancel 0", "size")
            .after("takeEnded", "size"));
  }

  @Test
  void aSlotIsFoundWhileTheTableGrows() {
    check(
        TokenTableOperations.class,
        TokenTableSpecification.class,
        slots()
            .thread("put", "put")
            .thread("find 62", "find 63", "find 64")
            .thread("free 62", "put")
            .after("find 62", "find 63", "find 64"));
  }
}
