package dev.epoll.soak

import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import kotlin.random.Random
import kotlin.time.Duration.Companion.seconds

/** The quick form of tests/soak; in one lane, for what it looks for is the same in all. */
class SoakTest :
    FunSpec({
        test("of thousands of connections that come and go at random, nothing is lost and nothing is left").config(
            enabled = System.getProperty("dev.epoll.backend") == "ffm"
        ) {
            val said = StringBuffer()
            Soak(Soak.connections(2_000), Random.nextLong()) { said.appendLine(it) }
                .use { withClue(said) { it.run(12.seconds) shouldBe emptyList() } }
        }
    })
