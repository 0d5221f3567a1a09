package dev.epoll.benchmarks;

import java.util.ArrayList;
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

  @Parameters(arity = "1..*", paramLabel = "BENCH", description = "echo, or all")
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
    for (Bench bench : chosen()) {
      TargetTable.print(bench.run(lab).targets());
    }
  }

  private List<Bench> chosen() {
    if (names.contains("all")) {
      return List.copyOf(BENCHES.values());
    }
    List<Bench> chosen = new ArrayList<>();
    for (String name : names) {
      Bench bench = BENCHES.get(name);
      if (bench == null) {
        throw new ParameterException(
            spec.commandLine(),
            "no benchmark is called '%s': they are all, %s"
                .formatted(name, String.join(", ", BENCHES.keySet())));
      }
      chosen.add(bench);
    }
    return chosen;
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
