import type { Script, Statement, StatementResult } from '../../../../src/store/script.ts';

/** Drives a script to its end, one statement after the other. */
export async function runScript<T>(script: Script<T>, perform: (statement: Statement) => Promise<StatementResult>): Promise<T> {
  let step = script.next();
  while (step.done !== true) step = script.next(await perform(step.value));
  return step.value;
}
