package dev.epoll.fd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SignalTest {
  @Test
  void numbersAndNamesAreThoseOfKill() throws Exception {
    List<Signal> signals =
        IntStream.rangeClosed(1, Signal.MAX)
            .filter(number -> number != 32 && number != 33)
            .mapToObj(Signal::new)
            .toList();
    List<String> command = new ArrayList<>(List.of("bash", "-c", "kill -l \"$@\"", "bash"));
    signals.forEach(signal -> command.add(signal.shortName()));
    Process kill = new ProcessBuilder(command).start();
    assertEquals(
        signals, kill.inputReader().lines().map(Integer::valueOf).map(Signal::new).toList());
  }

  @Test
  void constantsAreWhatTheyAreCalled() throws Exception {
    for (var field : Signal.class.getFields()) {
      if (field.getType() == Signal.class) {
        assertEquals("SIG" + field.getName(), field.get(null).toString());
      }
    }
    assertEquals("SIGRTMIN+0", Signal.realTime(0).toString());
    assertEquals(Signal.MAX, Signal.realTime(30).number());
  }

  @ParameterizedTest
  @ValueSource(ints = {0, -1, 65})
  void refusesWhatIsNoSignal(int number) {
    assertThrows(IllegalArgumentException.class, () -> new Signal(number));
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, 31})
  void refusesWhatIsNoRealTimeSignal(int offset) {
    assertThrows(IllegalArgumentException.class, () -> Signal.realTime(offset));
  }
}
