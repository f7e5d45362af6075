// Inversify reads constructor types through it, so it has to be there before the first decorated class.
import 'reflect-metadata';

export { providerConformance, type ConformanceOptions } from './conformance/suite.ts';
export type { TestRunner } from './conformance/test-runner.ts';
export type { Subject } from './conformance/world.ts';
export type { DispatchedJob, ExpectedProperties } from './dispatched-jobs.ts';
export { recordEvents, EventRecorder, type RecordedEvent } from './event-recorder.ts';
export { createFakeRedrive, FakeRedrive, type FakeRedriveRuntime } from './fake-redrive.ts';
export { fakeRedriveModule } from './fake-redrive-module.ts';
export type { JobAttempt, JobRun, ResultOf } from './job-run.ts';
export { RecordingLogger, type LogLine } from './recording-logger.ts';
export { runJob } from './run-job.ts';
export type { RunJobOptions } from './run-job-options.ts';
export type { Services } from './services.ts';
export { VirtualClock } from './virtual-clock.ts';
