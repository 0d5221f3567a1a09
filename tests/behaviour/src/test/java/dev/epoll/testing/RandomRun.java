package dev.epoll.testing;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * Random steps that can be taken again: one that fails tells its seed, and {@code -Dtest.seed} of
 * that number makes every test of this kind do the same steps. {@code -Dtest.effort=100} does a
 * hundred times as many runs.
 */
public final class RandomRun {
  private static final String SEED = "test.seed";
  private static final int SHOWN = 40;

  private final long seed;
  private final Random random;
  private final List<String> steps = new ArrayList<>();

  /** What is done anew with each seed. */
  public interface Body {
    void run(RandomRun run) throws Exception;
  }

  private RandomRun(long seed) {
    this.seed = seed;
    this.random = new Random(seed);
  }

  /** Runs {@code body} {@code times} times, each with a seed of its own. */
  public static void repeat(int times, Body body) {
    Long given = Long.getLong(SEED);
    if (given != null) {
      new RandomRun(given).run(body);
      return;
    }
    Random seeds = new Random();
    for (int i = 0; i < times * Integer.getInteger("test.effort", 1); i++) {
      new RandomRun(seeds.nextLong()).run(body);
    }
  }

  private void run(Body body) {
    try {
      body.run(this);
    } catch (Throwable e) {
      throw new AssertionError(e.getMessage() + "\n  after " + story(), e);
    }
  }

  private String story() {
    List<String> last = steps.subList(Math.max(0, steps.size() - SHOWN), steps.size());
    return "%d steps of -D%s=%d, the last: %s"
        .formatted(steps.size(), SEED, seed, String.join("; ", last));
  }

  /** Notes what is done next. */
  public void step(String what) {
    steps.add(what);
  }

  /** From 0 to {@code bound - 1}. */
  public int below(int bound) {
    return random.nextInt(bound);
  }

  public <T> T oneOf(List<T> all) {
    return all.get(random.nextInt(all.size()));
  }
}
