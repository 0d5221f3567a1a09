package dev.epoll.benchmarks;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Measures this library beside its peers. Started by {@code ./tests/benchmarks/run}. */
@Command(name = "./tests/benchmarks/run", mixinStandardHelpOptions = true)
final class Main implements Runnable {
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

  @Option(names = "--quick", description = "less careful: all in a few minutes")
  private boolean quick;

  @Option(names = "--smoke", description = "everything once, as short as possible")
  private boolean smoke;

  @Option(names = "--backend", defaultValue = "ffm", description = "ffm or jnr")
  private String backend;

  @Option(names = "--server-core", defaultValue = "-1", hidden = true)
  private int serverCore;

  @Option(names = "--client-core", defaultValue = "-1", hidden = true)
  private int clientCore;

  @Override
  public void run() {
    Effort effort = smoke ? Effort.SMOKE : quick ? Effort.QUICK : Effort.CAREFUL;
    Lab lab = new Lab(new Machine(clientCore, serverCore), effort, new Peers(backend));
    // Only figures that were measured carefully are kept beside the sources.
    Path folder = Path.of(smoke || quick ? "tests/benchmarks/target/results" : "docs/benchmarks");
    ResultFolder results = new ResultFolder(folder);
    for (String name : chosen()) {
      Findings findings = BENCHES.get(name).run(lab);
      if (effort != Effort.SMOKE) {
        TargetTable.print(findings.targets());
      }
      results.keep(name, Setting.here(backend, effort), findings);
      results.tabulate(BENCHES.keySet());
    }
    System.out.println("\nThe figures are in " + folder);
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

  private static int failed(Exception e, CommandLine line, CommandLine.ParseResult parsed)
      throws Exception {
    if (e instanceof BenchmarkFailure) {
      System.err.println("benchmark failed: " + e.getMessage());
      return 1;
    }
    throw e;
  }

  /** Ends with status 1 if a server answers wrongly. */
  public static void main(String[] arguments) {
    System.exit(
        new CommandLine(new Main()).setExecutionExceptionHandler(Main::failed).execute(arguments));
  }
}
