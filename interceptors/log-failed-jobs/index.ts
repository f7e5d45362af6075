export { SqlFailureLog, type SqlFailureLogOptions } from './sql-failure-log.ts';
