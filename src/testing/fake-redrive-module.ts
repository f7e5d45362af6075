import { ContainerModule } from 'inversify';
import type { RedriveConfig } from '../config/redrive-config.ts';
import { FailedJobs } from '../failure/failed-jobs.ts';
import { Redrive } from '../redrive.ts';
import { FakeRedrive, type FakeRedriveRuntime } from './fake-redrive.ts';

/**
 * Puts a fake into a container: `Redrive`, `FakeRedrive` and `FailedJobs` are its. Load it instead of `redriveModule`,
 * or after it: what was bound before gives way. One module is one fake; make one for each test.
 *
 * @example
 * container.load(appModule, fakeRedriveModule());
 * await container.get(SignUp).register('ada@example.com');
 * container.get(FakeRedrive).assertDispatched(SendWelcomeEmail);
 */
export function fakeRedriveModule(config?: RedriveConfig, runtime?: FakeRedriveRuntime): ContainerModule {
  const fake = new FakeRedrive(config, runtime);
  return new ContainerModule(({ rebind }) => {
    rebind(Redrive).toConstantValue(fake);
    rebind(FakeRedrive).toConstantValue(fake);
    rebind(FailedJobs).toConstantValue(fake.failedJobs);
  });
}
