package dev.epoll.fd;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.epoll.Poller;
import dev.epoll.testing.BlockingJvm;
import dev.epoll.testing.Conformance;
import dev.epoll.testing.KernelFds;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SignalFdTest {
  private static BlockingJvm other;

  @BeforeAll
  static void start() {
    other = new BlockingJvm("USR1,CHLD,TERM,RTMIN+1");
  }

  @AfterAll
  static void end() {
    other.close();
  }

  private static void passes(String scenario) throws Exception {
    other.run(SignalScenarios.class, scenario);
  }

  @Test
  @Conformance(401)
  void eachSignalIsOneEvent() throws Exception {
    passes("eachSignalIsOneEvent");
  }

  @Test
  void theNamesOfThreadsDoNotMatter() throws Exception {
    passes("theNamesOfThreadsDoNotMatter");
  }

  @Test
  void pendingSignalsCountOnceRealTimeSignalsEach() throws Exception {
    passes("pendingSignalsCountOnceRealTimeSignalsEach");
  }

  @Test
  @Conformance(400)
  void aSignalForOneThreadIsReadByThatThreadOnly() throws Exception {
    passes("aSignalForOneThreadIsReadByThatThreadOnly");
  }

  @Test
  void theExitOfAChildIsAnEvent() throws Exception {
    passes("theExitOfAChildIsAnEvent");
  }

  @Test
  void termIsReceivedWhereHotSpotLeavesItBlocked() throws Exception {
    passes("termIsReceivedWhereHotSpotLeavesItBlocked");
  }

  @Test
  void waitingThreadsAreResumedBySignalsAndFailedByClose() throws Exception {
    passes("waitingThreadsAreResumedBySignalsAndFailedByClose");
  }

  @Test
  void aFailedOpenLeavesNothing() throws Exception {
    passes("aFailedOpenLeavesNothing");
  }

  @Test
  void aSignalThatIsNotBlockedIsRefusedWithAdvice() throws Exception {
    try (Poller poller = Poller.open()) {
      var before = KernelFds.openNow();
      refused(poller, Signal.USR1, "env --block-signal=USR1 java ...");
      refused(poller, Signal.realTime(3), "env --block-signal=RTMIN+3 java ...");
      refused(poller, Signal.TERM, "env --block-signal=TERM java -Xrs ...");
      KernelFds.assertNoneSince(before);
    }
  }

  private static void refused(Poller poller, Signal signal, String advice) {
    var e = assertThrows(IllegalStateException.class, () -> SignalFd.open(poller, signal));
    assertTrue(e.getMessage().endsWith(advice), e::getMessage);
    assertTrue(e.getMessage().contains("does not block " + signal), e::getMessage);
  }

  @ParameterizedTest
  @ValueSource(ints = {4, 5, 7, 8, 9, 11, 12, 19, 32, 33})
  void aSignalThatNeverComesIsRefused(int number) throws Exception {
    try (Poller poller = Poller.open()) {
      Signal signal = new Signal(number);
      var e = assertThrows(IllegalArgumentException.class, () -> SignalFd.open(poller, signal));
      assertTrue(e.getMessage().contains(signal + ", which "), e::getMessage);
    }
  }

  @Test
  void noSignalIsRefused() throws Exception {
    try (Poller poller = Poller.open()) {
      assertThrows(IllegalArgumentException.class, () -> SignalFd.open(poller));
    }
  }
}
