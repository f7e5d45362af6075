/**
 * The modules of this very copy of the package, by the names under which a config imports them: its jobs and providers
 * are then of this copy, wherever the package lies. `redrive/testing` is not among them: it needs a test runner.
 */
export async function sharedModules(): Promise<Readonly<Record<string, unknown>>> {
  const [redrive, async, sync, database, logAttempts, logFailedJobs, migrations] = await Promise.all([
    import('../index.ts'),
    import('../../providers/async/index.ts'),
    import('../../providers/sync/index.ts'),
    import('../../providers/database/index.ts'),
    import('../../interceptors/log-attempts.ts'),
    import('../../interceptors/log-failed-jobs/index.ts'),
    import('../../migrations/index.ts'),
  ]);
  return {
    redrive,
    'redrive/providers/async': async,
    'redrive/providers/sync': sync,
    'redrive/providers/database': database,
    'redrive/interceptors/log-attempts': logAttempts,
    'redrive/interceptors/log-failed-jobs': logFailedJobs,
    'redrive/migrations': migrations,
  };
}
