package dev.epoll.simulation;

import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/** All that is left to chance, which a seed repeats. */
public final class Chance {
  private final Random random;

  public Chance(long seed) {
    this.random = new Random(seed);
  }

  /** True in so many of a hundred cases. */
  public boolean in100(int percent) {
    return random.nextInt(100) < percent;
  }

  /** From 0 to one less than {@code bound}. */
  public int below(int bound) {
    return random.nextInt(bound);
  }

  /** Null if there is none. */
  public <T> @Nullable T anyOf(List<T> choices) {
    return choices.isEmpty() ? null : choices.get(random.nextInt(choices.size()));
  }

  @SafeVarargs
  public final <T> T anyOf(T... choices) {
    return choices[random.nextInt(choices.length)];
  }

  public void shuffle(List<?> list) {
    Collections.shuffle(list, random);
  }
}
