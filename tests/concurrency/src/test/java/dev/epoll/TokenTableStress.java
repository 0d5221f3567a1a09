package dev.epoll;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import org.jspecify.annotations.Nullable;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.L_Result;

/** The poller's thread looks a slot up, without a lock, while a registration comes or goes. */
public final class TokenTableStress {
  private TokenTableStress() {}

  private static final int SLOTS_BEFORE_GROWTH = 64;

  /** Its field is plain on purpose: nothing but the table hands it over. */
  private static final class Owner {
    int number;

    Owner(int number) {
      this.number = number;
    }
  }

  private static String seen(@Nullable Owner owner) {
    return owner == null ? "nobody" : "owner " + owner.number;
  }

  /** A registration comes. */
  @JCStressTest
  @Outcome(id = "nobody", expect = ACCEPTABLE, desc = "not there yet")
  @Outcome(id = "owner 1", expect = ACCEPTABLE, desc = "there, with all that it is made of")
  @Outcome(id = "owner 0", expect = FORBIDDEN, desc = "found before it was made")
  @State
  public static class FindAndPut {
    private final TokenTable<Owner> table = new TokenTable<>();

    @Actor
    public void opener() {
      table.put(table.allocate(), new Owner(1));
    }

    @Actor
    public void poller(L_Result result) {
      result.r1 = seen(table.find(0));
    }
  }

  /** A registration goes, and another gets its slot. */
  @JCStressTest
  @Outcome(id = "owner 1", expect = ACCEPTABLE, desc = "before; its sequence number is stale then")
  @Outcome(id = "nobody", expect = ACCEPTABLE, desc = "between")
  @Outcome(id = "owner 2", expect = ACCEPTABLE, desc = "after")
  @Outcome(id = "owner 0", expect = FORBIDDEN, desc = "found before it was made")
  @State
  public static class FindAndReuse {
    private final TokenTable<Owner> table = new TokenTable<>();

    public FindAndReuse() {
      table.put(table.allocate(), new Owner(1));
    }

    @Actor
    public void opener() {
      table.free(0, 1);
      table.put(table.allocate(), new Owner(2));
    }

    @Actor
    public void poller(L_Result result) {
      result.r1 = seen(table.find(0));
    }
  }

  /** The table grows, and what was in it stays where it was. */
  @JCStressTest
  @Outcome(id = "owner 1, nobody", expect = ACCEPTABLE, desc = "before")
  @Outcome(id = "owner 1, owner 2", expect = ACCEPTABLE, desc = "after")
  @Outcome(expect = FORBIDDEN, desc = "a live registration is not found, or not whole")
  @State
  public static class FindAndGrow {
    private final TokenTable<Owner> table = new TokenTable<>();

    public FindAndGrow() {
      for (int i = 0; i < SLOTS_BEFORE_GROWTH; i++) {
        table.put(table.allocate(), new Owner(1));
      }
    }

    @Actor
    public void opener() {
      table.put(table.allocate(), new Owner(2));
    }

    @Actor
    public void poller(L_Result result) {
      String last = seen(table.find(SLOTS_BEFORE_GROWTH));
      result.r1 = seen(table.find(SLOTS_BEFORE_GROWTH - 1)) + ", " + last;
    }
  }

  /** The table grows, and a registration goes. */
  @JCStressTest
  @Outcome(id = "owner 1", expect = ACCEPTABLE, desc = "before it goes")
  @Outcome(id = "nobody", expect = ACCEPTABLE, desc = "after")
  @State
  public static class FindAndGrowAndFree {
    private final TokenTable<Owner> table = new TokenTable<>();

    public FindAndGrowAndFree() {
      for (int i = 0; i < SLOTS_BEFORE_GROWTH; i++) {
        table.put(table.allocate(), new Owner(1));
      }
    }

    @Actor
    public void owner() {
      table.put(table.allocate(), new Owner(2));
      table.free(0, 1);
    }

    @Actor
    public void poller(L_Result result) {
      result.r1 = seen(table.find(0));
    }
  }
}
