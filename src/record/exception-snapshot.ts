import type { Json, JsonObject } from '../job/json.ts';
import { caps } from './caps.ts';
import { exceptionFields, exceptionFieldsRead } from './exception-fields.ts';
import { isError, isObject, read, readField, shortReasonOf, typeNameOf, type FieldReading } from './guarded-reading.ts';
import { JsonBudget } from './json-budget.ts';
import { readableText, type ReadableText } from './readable-text.ts';
import type { ExceptionSnapshot } from './types.ts';

/** A class name or code that is longer is none; the limit also fits an indexed column. */
const nameBytes = 255;
/** Of a whole tree of causes and aggregated errors: what `caps` allows multiplies with each level. */
const maxNodes = 1_000;
/** What an exception's braces, keys and commas take, and a code that is a number. */
const frameBytes = 128;
/** Below this a further cause could say next to nothing. */
const leastRoom = 2_048;
/** Held back for fields while types, messages and stacks are read: these say more, but must not take everything. */
const fieldsShare = caps.exceptionBytes / 4;

type Draft = { -readonly [K in keyof ExceptionSnapshot]: ExceptionSnapshot[K] };

/** An exception of the tree on its way into the snapshot. */
interface Node {
  readonly thrown: unknown;
  /** What the message of an object was made from; its fields, then. */
  readonly json: Json | undefined;
  readonly draft: Draft;
  readonly parent: Node | undefined;
  /** How many causes or aggregations it is away from what was thrown. */
  readonly depth: number;
}

/**
 * Whatever was thrown, as plain data that JSON carries unchanged, within `caps`. Never throws, and reads no more than it keeps.
 * When the whole is too large, the fields of the deepest causes go first, then the deepest causes; the message and stack
 * of the thrown value itself stay. Getters and `toJSON` of the thrown value run here.
 */
export function snapshotException(thrown: unknown): ExceptionSnapshot {
  try {
    return new Snapshotting().take(thrown);
  } catch (threw) {
    // Every access is guarded by itself; what is left is a call stack that was all but full already.
    return { type: thrown === null ? 'null' : typeof thrown, message: `[Unreadable: ${shortReasonOf(threw)}]`, stack: '' };
  }
}

class Snapshotting {
  private readonly budget = new JsonBudget(caps.exceptionBytes - fieldsShare - leastRoom);
  /** Breadth first, so that what is nearer to the thrown value is paid first. */
  private readonly nodes: Node[] = [];

  take(thrown: unknown): ExceptionSnapshot {
    const root = this.add(thrown, undefined);
    // The list grows while it is walked.
    for (const node of this.nodes) this.addBelow(node);
    const fieldsBudget = new JsonBudget(this.budget.left + fieldsShare);
    for (const node of this.nodes) addFields(node, fieldsBudget);
    if (this.budget.cut || fieldsBudget.cut) root.truncated = true;
    return root;
  }

  private add(thrown: unknown, parent: Node | undefined): Draft {
    const budget = this.budget.part(this.budget.left);
    budget.spend(frameBytes);
    const type = budget.text(typeNameOf(thrown), nameBytes);
    if (isAround(parent, thrown)) return { type, message: budget.text('[Circular]', nameBytes), stack: '' };
    const said = messageOf(thrown);
    if (said.cut) budget.noteCut();
    const message = budget.text(said.text, caps.messageBytes);
    const code = codeOf(thrown);
    const draft: Draft = { type, message, stack: '' };
    if (code !== undefined) draft.code = typeof code === 'string' ? budget.text(code, nameBytes) : code;
    draft.stack = budget.text(stackOf(thrown, said.text, message), caps.stackBytes);
    if (budget.cut) draft.truncated = true;
    this.nodes.push({
      thrown,
      json: isError(thrown) ? undefined : said.json,
      draft,
      parent,
      depth: parent === undefined ? 0 : parent.depth + 1,
    });
    return draft;
  }

  private addBelow(node: Node): void {
    if (!isObject(node.thrown)) return;
    const cause = causeOf(node.thrown);
    if (cause !== undefined && this.hasRoomBelow(node)) node.draft.cause = this.add(cause, node);
    const gathered = errorsOf(node.thrown);
    if (gathered === undefined) return;
    const errors: Draft[] = [];
    for (let index = 0; index < gathered.length; index += 1) {
      if (!this.hasRoomBelow(node, index)) break;
      errors.push(this.add(valueOrReason(readField(gathered, index)), node));
    }
    node.draft.errors = errors;
  }

  private hasRoomBelow(node: Node, siblings = 0): boolean {
    const fits = node.depth < caps.causes && siblings < caps.errors && this.nodes.length < maxNodes && this.budget.left >= leastRoom;
    if (!fits) {
      this.budget.noteCut();
      node.draft.truncated = true;
    }
    return fits;
  }
}

function addFields({ thrown, json, draft }: Node, whole: JsonBudget): void {
  if (!isObject(thrown)) return;
  const budget = whole.part(whole.left);
  const fields = isJsonObject(json) ? exceptionFieldsRead(json, draft, budget) : exceptionFields(thrown, draft, budget);
  if (fields !== undefined) draft.fields = fields;
  if (budget.cut) draft.truncated = true;
}

function isAround(node: Node | undefined, thrown: unknown): boolean {
  if (!isObject(thrown)) return false;
  for (let around = node; around !== undefined; around = around.parent) if (around.thrown === thrown) return true;
  return false;
}

function isJsonObject(json: Json | undefined): json is JsonObject {
  return isObject(json) && !Array.isArray(json);
}

function messageOf(thrown: unknown): ReadableText {
  if (!isError(thrown)) return readableText(thrown, caps.messageBytes);
  const message = valueOrReason(readField(thrown, 'message'));
  return message === undefined ? { text: '' } : readableText(message, caps.messageBytes);
}

function codeOf(thrown: unknown): string | number | undefined {
  const code = isObject(thrown) ? read(thrown, 'code') : undefined;
  if (typeof code === 'number' && Number.isFinite(code)) return code === 0 ? 0 : code;
  return typeof code === 'string' && code !== '' ? code : undefined;
}

/** The stack as thrown, except that a message too long to keep is cut in its header too, or it would push out the frames. */
function stackOf(thrown: unknown, said: string, message: string): string {
  const stack = isObject(thrown) ? read(thrown, 'stack') : undefined;
  if (typeof stack !== 'string') return '';
  const start = stack.indexOf(': ') + 2;
  const hasLongHeader = message !== said && start > 1 && start <= nameBytes && stack.startsWith(said, start);
  return hasLongHeader ? stack.slice(0, start) + message + stack.slice(start + said.length) : stack;
}

function causeOf(thrown: object): unknown {
  const reading = readField(thrown, 'cause');
  if ('threw' in reading) return isError(thrown) ? valueOrReason(reading) : undefined;
  // Some libraries have a method of this name.
  return typeof reading.value === 'function' ? undefined : reading.value;
}

function errorsOf(thrown: object): readonly unknown[] | undefined {
  try {
    const errors = read(thrown, 'errors');
    return Array.isArray(errors) ? errors : undefined;
  } catch {
    return undefined;
  }
}

function valueOrReason(reading: FieldReading): unknown {
  return 'threw' in reading ? `[Threw: ${shortReasonOf(reading.threw)}]` : reading.value;
}
