import mocha from 'mocha';

/** Mocha's own report, and at its end which tests passed only when they were run again. */
class AgainReporter extends mocha.reporters.Spec {
  constructor(runner: mocha.Runner, options: mocha.MochaOptions) {
    super(runner, options);
    const again: string[] = [];
    runner.on(mocha.Runner.constants.EVENT_TEST_RETRY, (test: mocha.Test, error: Error) => {
      again.push(
        `${test.titlePath().join(': ')}\n      ${(error.stack ?? error.message).replaceAll('\n', '\n      ')}`,
      );
    });
    runner.once(mocha.Runner.constants.EVENT_RUN_END, () => {
      if (again.length === 0) return;
      console.log(`  ${again.length} failed and were run again:\n`);
      for (const line of again) console.log(`    AGAIN: ${line}\n`);
    });
  }
}

// mocha requires it
export { AgainReporter as 'module.exports' };
