import type { Newable } from 'inversify';
import type { ServiceRef } from './resolved.ts';

/** True for what `new` takes: a class, or a function of the old kind; false for arrow functions, methods and generators. Nothing of it is run. */
export function isClass(value: unknown): value is Newable<object> & { readonly prototype: object } {
  if (typeof value !== 'function') return false;
  try {
    // As `newTarget` a value is asked whether it is a constructor, and not called.
    Reflect.construct(Object, [], value);
    const { prototype } = value as { prototype?: unknown };
    return typeof prototype === 'object' && prototype !== null;
  } catch {
    return false;
  }
}

/**
 * True when a class has or inherits this method, or its source assigns a field of this name (`handle = async () => { ... }`),
 * which only an instance will show. To be wrong there means that a fault is told later.
 */
export function providesMethod(target: { readonly prototype: object }, name: string): boolean {
  if (missingMethods(target.prototype, [name]).length === 0) return true;
  const assignment = new RegExp(`(?<![\\w$])${name}\\s*=(?![=>])`);
  let level: unknown = target;
  while (typeof level === 'function') {
    if (assignment.test(Function.prototype.toString.call(level))) return true;
    level = Object.getPrototypeOf(level);
  }
  return false;
}

/** Which of the methods an object lacks; all of them for what is no object or cannot be inspected. */
export function missingMethods(value: unknown, methods: readonly string[]): readonly string[] {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return methods;
  return methods.filter((method) => {
    try {
      return typeof (value as Record<string, unknown>)[method] !== 'function';
    } catch {
      return true;
    }
  });
}

/** How a value of the config is come by. A string or symbol is always an identifier, anything that is no class an instance. */
export function serviceRef<T>(value: unknown): ServiceRef<T> {
  if (typeof value === 'string' || typeof value === 'symbol') return Object.freeze({ from: 'identifier', value });
  if (isClass(value)) return Object.freeze({ from: 'class', value: value as unknown as Newable<T> });
  return Object.freeze({ from: 'instance', value: value as T });
}

/** The names of the methods that an object has or inherits, short of what every object has. Getters are not run. Throws what a Proxy throws. */
export function methodNames(target: object): ReadonlySet<string> {
  const names = new Set<string>();
  let level: object | null = target;
  while (level !== null) {
    const parent: object | null = Object.getPrototypeOf(level) as object | null;
    if (parent === null && level !== target) break;
    for (const [name, property] of Object.entries(Object.getOwnPropertyDescriptors(level))) {
      if (name !== 'constructor' && (typeof property.value === 'function' || property.get !== undefined)) names.add(name);
    }
    level = parent;
  }
  return names;
}
