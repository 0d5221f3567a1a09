package dev.epoll;

import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.jetbrains.kotlinx.lincheck.Actor;
import org.jetbrains.kotlinx.lincheck.execution.ExecutionScenario;

/**
 * Operations of a model that were chosen by hand, each as its name and its arguments: {@code "arm
 * 2"}.
 */
final class Scenario {
  private final Class<?> operations;
  private List<Actor> before = List.of();
  private final List<List<Actor>> threads = new ArrayList<>();

  private Scenario(Class<?> operations) {
    this.operations = operations;
  }

  static Scenario of(Class<?> operations) {
    return new Scenario(operations);
  }

  Scenario before(String... steps) {
    before = actors(steps);
    return this;
  }

  Scenario thread(String... steps) {
    threads.add(actors(steps));
    return this;
  }

  ExecutionScenario after(String... steps) {
    return new ExecutionScenario(before, threads, actors(steps), null);
  }

  private List<Actor> actors(String... steps) {
    return Stream.of(steps).map(this::actor).toList();
  }

  private Actor actor(String step) {
    String[] words = step.split(" ", -1);
    List<Integer> arguments = Arrays.stream(words).skip(1).map(Integer::valueOf).toList();
    Method method =
        Arrays.stream(operations.getMethods())
            .filter(candidate -> candidate.getName().equals(words[0]))
            .filter(candidate -> candidate.getParameterCount() == arguments.size())
            .findAny()
            .orElseThrow(() -> new IllegalArgumentException(step));
    return new Actor(method, arguments);
  }
}
