package dev.epoll;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaCodeUnit;
import com.tngtech.archunit.core.domain.JavaMember;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import dev.epoll.coroutines.AwaitKt;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;
import java.util.jar.JarFile;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The rules of docs/architecture.md, checked on the classes of the jars. */
class ArchitectureTest {
  private static final String SYS = "dev.epoll.sys";
  private static final String JAVA_22 = "META-INF/versions/22";

  /** The classes that JDK 17 sees. */
  private static final JavaClasses CORE =
      importJarOf(Poller.class, location -> !location.contains(JAVA_22));

  /** Those that only JDK 22 and newer see, in place of theirs or beside them. */
  private static final JavaClasses CORE_22 =
      importJarOf(Poller.class, location -> location.contains(JAVA_22));

  private static final JavaClasses COROUTINES = importJarOf(AwaitKt.class, location -> true);

  private static JavaClasses importJarOf(Class<?> member, ImportOption option) {
    String path = member.getProtectionDomain().getCodeSource().getLocation().getPath();
    try (JarFile jar = new JarFile(Path.of(path).toFile())) {
      return new ClassFileImporter().withImportOption(option).importJar(jar);
    } catch (IOException e) {
      throw new AssertionError(path + " is no jar", e);
    }
  }

  private static DescribedPredicate<JavaClass> fromPackages(String... packages) {
    return JavaClass.Predicates.resideInAnyPackage(packages);
  }

  private static void noDependency(String from, String... to) {
    noClasses()
        .that(resideInAPackage(from))
        .should()
        .dependOnClassesThat(fromPackages(to))
        .check(CORE);
  }

  @Test
  void packagesDependDownwardsOnly() {
    noDependency(SYS, "dev.epoll", "dev.epoll.fd..", "dev.epoll.net..");
    noDependency("dev.epoll", "dev.epoll.fd..", "dev.epoll.net..");
    noDependency("dev.epoll.fd", "dev.epoll.net..");
    noClasses()
        .should()
        .dependOnClassesThat(fromPackages("dev.epoll", "dev.epoll.fd..", "dev.epoll.net.."))
        .check(CORE_22);
  }

  @Test
  void thereAreNoOtherPackages() {
    Set<String> packages = CORE.stream().map(JavaClass::getPackageName).collect(Collectors.toSet());
    assertEquals(Set.of("dev.epoll", SYS, "dev.epoll.fd", "dev.epoll.net"), packages);
  }

  @Test
  void onlyJnrSyscallsKnowsJnr() {
    DescribedPredicate<JavaClass> jnr = fromPackages("jnr..", "com.kenai..");
    DescribedPredicate<JavaClass> backend =
        describe("JnrSyscalls", type -> type.getName().startsWith(SYS + ".JnrSyscalls"));
    noClasses().that(not(backend)).should().dependOnClassesThat(jnr).check(CORE);
    noClasses().should().dependOnClassesThat(jnr).check(CORE_22);
    noClasses().should().dependOnClassesThat(jnr).check(COROUTINES);
  }

  @Test
  void onlyTheFfmBackendKnowsJavaLangForeign() {
    DescribedPredicate<JavaClass> foreign = resideInAPackage("java.lang.foreign..");
    noClasses().should().dependOnClassesThat(foreign).check(CORE);
    noClasses().should().dependOnClassesThat(foreign).check(COROUTINES);
    Set<String> users =
        CORE_22.stream()
            .filter(
                type ->
                    type.getDirectDependenciesFromSelf().stream()
                        .anyMatch(dependency -> foreign.test(dependency.getTargetClass())))
            .map(JavaClass::getSimpleName)
            .collect(Collectors.toSet());
    assertEquals(Set.of("FfmSyscalls", "LibcFunction", "ErrnoCapture"), users);
  }

  @Test
  void classesForJdk22AreTheFfmBackendOnly() {
    Set<String> names = CORE_22.stream().map(JavaClass::getSimpleName).collect(Collectors.toSet());
    assertEquals(Set.of("FfmBackend", "FfmSyscalls", "LibcFunction", "ErrnoCapture"), names);
  }

  @Test
  void noNameIsEmpty() {
    Pattern empty =
        Pattern.compile(
            "(?:^|.*[a-z0-9])(Manager|Helper|Util|Utils|Impl|Handler|Context|Info|Data)(?:[A-Z0-9].*|$)");
    assertEquals(
        Set.of(),
        Stream.of(CORE, CORE_22, COROUTINES)
            .flatMap(JavaClasses::stream)
            .map(JavaClass::getSimpleName)
            .filter(name -> empty.matcher(name).matches())
            .collect(Collectors.toSet()));
  }

  @Test
  void theSeamDeclaresNoCheckedException() {
    assertEquals(
        Set.of(),
        both()
            .filter(type -> type.getPackageName().equals(SYS))
            .flatMap(type -> type.getCodeUnits().stream())
            .filter(ArchitectureTest::declaresCheckedException)
            .map(JavaCodeUnit::getFullName)
            .collect(Collectors.toSet()));
  }

  private static Stream<JavaClass> both() {
    return Stream.concat(CORE.stream(), CORE_22.stream());
  }

  private static boolean declaresCheckedException(JavaCodeUnit unit) {
    return unit.getExceptionTypes().stream()
        .anyMatch(
            type ->
                type.isAssignableTo(Throwable.class)
                    && !type.isAssignableTo(RuntimeException.class)
                    && !type.isAssignableTo(Error.class));
  }

  @Test
  void theSeamStartsNoThread() {
    DescribedPredicate<JavaClass> executors =
        fromPackages("java.util.concurrent")
            .and(
                describe(
                    "run things",
                    type ->
                        type.isAssignableTo("java.util.concurrent.Executor")
                            || type.getSimpleName().equals("CompletableFuture")));
    for (JavaClasses jar : Set.of(CORE, CORE_22)) {
      noClasses()
          .that(resideInAPackage(SYS))
          .should()
          .callMethodWhere(
              describe(
                  "Thread.start",
                  call ->
                      call.getTargetOwner().isAssignableTo(Thread.class)
                          && call.getName().startsWith("start")))
          .orShould()
          .callConstructorWhere(
              describe("new Thread", call -> call.getTargetOwner().isAssignableTo(Thread.class)))
          .orShould()
          .dependOnClassesThat(executors)
          .check(jar);
    }
  }

  /** Who accesses the methods called {@code names} of {@code owner}, outside of {@code owner}. */
  private static Set<String> callers(Class<?> owner, String... names) {
    return both()
        .flatMap(type -> type.getAccessesFromSelf().stream())
        .filter(access -> access.getTargetOwner().isAssignableTo(owner))
        .filter(access -> Set.of(names).contains(access.getTarget().getName()))
        .map(JavaAccess::getOriginOwner)
        .filter(caller -> !caller.isAssignableTo(owner))
        .map(ArchitectureTest::outermost)
        .collect(Collectors.toSet());
  }

  private static String outermost(JavaClass type) {
    Optional<JavaClass> outer = type.getEnclosingClass();
    return outer.map(ArchitectureTest::outermost).orElse(type.getSimpleName());
  }

  @Test
  void onlyEpollFdMakesTheCallsOfEpoll() {
    assertEquals(
        Set.of("EpollFd"),
        callers(
            dev.epoll.sys.Syscalls.class, "epollCreate1", "epollCtl", "epollWait", "epollPwait2"));
  }

  @Test
  void onlyPollLoopAndEpollWait() {
    assertEquals(Set.of("PollLoop", "Epoll"), callers(EpollFd.class, "await"));
  }

  @Test
  void nothingSleepsOrPrints() {
    for (JavaClasses jar : Set.of(CORE, CORE_22, COROUTINES)) {
      noClasses()
          .should()
          .callMethodWhere(
              describe(
                  "printStackTrace or Thread.sleep",
                  call ->
                      call.getName().equals("printStackTrace")
                          || (call.getName().equals("sleep")
                              && call.getTargetOwner().isEquivalentTo(Thread.class))))
          .orShould()
          .accessFieldWhere(
              describe(
                  "System.out or err",
                  access ->
                      access.getTargetOwner().isEquivalentTo(System.class)
                          && Set.of("out", "err").contains(access.getName())))
          .check(jar);
    }
  }

  @Test
  void theApiDoesNotMentionTheSeam() {
    assertEquals(
        Set.of(),
        CORE.stream()
            .filter(type -> !type.getPackageName().equals(SYS))
            .filter(ArchitectureTest::isApi)
            .flatMap(ArchitectureTest::mentionsOfTheSeam)
            .collect(Collectors.toSet()));
  }

  private static boolean isApi(JavaClass type) {
    return isVisible(type.getModifiers())
        && type.getEnclosingClass().map(ArchitectureTest::isApi).orElse(true);
  }

  private static boolean isVisible(Set<JavaModifier> modifiers) {
    return modifiers.contains(JavaModifier.PUBLIC) || modifiers.contains(JavaModifier.PROTECTED);
  }

  private static Stream<String> mentionsOfTheSeam(JavaClass type) {
    Stream<String> parents =
        Stream.concat(type.getRawSuperclass().stream(), type.getRawInterfaces().stream())
            .filter(resideInAPackage(SYS))
            .map(parent -> type.getName() + " extends " + parent.getName());
    Stream<String> members =
        type.getMembers().stream()
            .filter(member -> isVisible(member.getModifiers()))
            .filter(member -> signature(member).anyMatch(resideInAPackage(SYS)))
            .map(JavaMember::getFullName);
    return Stream.concat(parents, members);
  }

  private static Stream<JavaClass> signature(JavaMember member) {
    Stream<JavaClass> exceptions =
        member instanceof JavaCodeUnit unit ? unit.getExceptionTypes().stream() : Stream.of();
    return Stream.concat(member.getAllInvolvedRawTypes().stream(), exceptions);
  }

  @Test
  void coroutinesUseWhatIsPublicAndNothingOfTheSeam() {
    noClasses().should().dependOnClassesThat(resideInAPackage(SYS)).check(COROUTINES);
    classes()
        .should()
        .onlyDependOnClassesThat(
            not(fromPackages("dev.epoll", "dev.epoll.fd", "dev.epoll.net"))
                .or(describe("public", ArchitectureTest::isApi)))
        .check(COROUTINES);
  }
}
