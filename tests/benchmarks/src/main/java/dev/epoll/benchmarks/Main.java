package dev.epoll.benchmarks;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Measures this library beside its peers. Started by {@code ./tests/benchmarks/run}. */
@Command(name = "./tests/benchmarks/run", mixinStandardHelpOptions = true)
final class Main implements Callable<Integer> {
  enum Backends {
    ffm,
    jnr
  }

  private static final String ALL = "all";
  private static final Map<String, Bench> BENCHES = new LinkedHashMap<>();

  static {
    BENCHES.put("echo", new EchoBench());
    BENCHES.put("await", new AwaitBench());
    BENCHES.put("dispatch", new DispatchBench());
    BENCHES.put("heap", new HeapBench());
    BENCHES.put("idle", new IdleBench());
    BENCHES.put("startup", new StartupBench());
    BENCHES.put("http", new HttpBench());
    BENCHES.put("calls", new CallsBench());
  }

  @Spec private CommandSpec spec;

  @Parameters(
      arity = "1..*",
      paramLabel = "BENCH",
      description = "which to run: ${COMPLETION-CANDIDATES}",
      completionCandidates = Names.class)
  private List<String> names = new ArrayList<>();

  @ArgGroup private Haste haste = new Haste();

  @Option(names = "--backend", defaultValue = "ffm", description = "ours: ${COMPLETION-CANDIDATES}")
  private Backends backend;

  @Option(names = "--server-core", defaultValue = "-1", hidden = true)
  private int serverCore;

  @Option(names = "--client-core", defaultValue = "-1", hidden = true)
  private int clientCore;

  @Override
  public Integer call() {
    Lab lab =
        new Lab(new Machine(clientCore, serverCore), haste.effort(), new Peers(backend.name()));
    // Before results are written, which change the sources.
    String commit = Setting.currentCommit();
    ResultFolder results = new ResultFolder(lab.effort().folder());
    int failed = 0;
    for (String name : chosen()) {
      try {
        Bench bench = BENCHES.get(name);
        Setting setting = Setting.here(commit, bench.backends(backend.name()), lab.effort());
        Findings findings = bench.run(lab);
        TargetTable.print(findings.targets());
        results.keep(name, setting, findings);
        results.tabulate(BENCHES.keySet());
      } catch (BenchmarkFailure e) {
        Progress.clear();
        System.err.println(name + " failed: " + e.getMessage());
        failed++;
      }
    }
    System.out.println("\nThe figures are in " + lab.effort().folder());
    return failed == 0 ? 0 : 1;
  }

  private Collection<String> chosen() {
    if (names.contains(ALL)) {
      return BENCHES.keySet();
    }
    for (String name : names) {
      if (!BENCHES.containsKey(name)) {
        throw new ParameterException(
            spec.commandLine(),
            "no benchmark is called '%s': there are %s, and %s"
                .formatted(name, String.join(", ", BENCHES.keySet()), ALL));
      }
    }
    return names;
  }

  /** Every bench, and the word for all of them. */
  static final class Names extends ArrayList<String> {
    private static final long serialVersionUID = 1L;

    Names() {
      super(BENCHES.keySet());
      add(ALL);
    }
  }

  /** How long to measure; neither means as carefully as the figures in docs/ were. */
  private static final class Haste {
    @Option(names = "--quick", description = "less careful: all in a few minutes")
    private boolean quick;

    @Option(names = "--smoke", description = "everything once, as short as possible")
    private boolean smoke;

    Effort effort() {
      return smoke ? Effort.SMOKE : quick ? Effort.QUICK : Effort.CAREFUL;
    }
  }

  /** Ends with status 1 if a bench failed: a server answers wrongly, or there is no gcc. */
  public static void main(String[] arguments) {
    Locale.setDefault(Locale.ROOT);
    System.exit(new CommandLine(new Main()).execute(arguments));
  }
}
