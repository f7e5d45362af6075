/** Throws an Error `boom`: a getter, method or trap gone wrong. */
export function boom(): never {
  throw new Error('boom');
}

/** The mark of a text from whose middle so many bytes are gone. */
export function cutMark(bytes: number): string {
  return `…[${bytes} bytes cut]…`;
}

/** A handler for a Proxy of which nothing can be asked. */
export function everyTrapThrows(): ProxyHandler<object> {
  return new Proxy({}, { get: () => boom });
}
