import type { Script, Statement, StatementResult } from '../../../../src/store/script.ts';

/** Drives a script to its end, one statement after the other. A statement that fails throws inside the script, which may know what it means. */
export async function runScript<T>(script: Script<T>, perform: (statement: Statement) => Promise<StatementResult>): Promise<T> {
  let step = script.next();
  while (step.done !== true) {
    let result: StatementResult;
    try {
      result = await perform(step.value);
    } catch (error) {
      step = script.throw(error);
      continue;
    }
    step = script.next(result);
  }
  return step.value;
}
