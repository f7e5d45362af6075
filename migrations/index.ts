export { failedJobsMigrations } from './failed-jobs.ts';
export { jobsMigrations } from './jobs.ts';
