/**
 * Which hosts a server may be asked for. A page of another site whose name was made to point at this machine ("DNS
 * rebinding") is same-origin for its browser; the Host header is what gives it away.
 */
export function isServedHost(host: string, allowed: readonly string[]): boolean {
  const wanted = host.toLowerCase();
  const name = nameOf(wanted);
  if (name === undefined) return false;
  if (isLoopbackName(wanted)) return true;
  return allowed.some((one) => one === '*' || one === wanted || one === name || (one === anyAddress && isAddress(name)));
}

/** Among the allowed hosts: every IP address, as no name, and so no rebinding, is in the way to one. */
const anyAddress = '<address>';

/** The hosts that a server on this address may be asked for, besides the loopback names. */
export function hostsFor(address: string): readonly string[] {
  const isWildcard = address === '0.0.0.0' || address === '::';
  return [isWildcard ? anyAddress : address.includes(':') ? `[${address}]` : address];
}

/** True for the names that lead to this machine and nowhere else, with or without a port. */
export function isLoopbackName(host: string): boolean {
  const name = nameOf(host.toLowerCase());
  return host === '::1' || (name !== undefined && (name === 'localhost' || name === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(name)));
}

/** True for the address of a socket's other end on this very machine. */
export function isLoopbackAddress(address: string): boolean {
  return address === '::1' || /^(?:::ffff:)?127\./.test(address);
}

/** A host without its port; undefined for what is none. */
function nameOf(host: string): string | undefined {
  return /^(\[[0-9a-f:.]+\]|[^\s:@/\\?#[\]]+)(?::\d{1,5})?$/.exec(host)?.[1];
}

function isAddress(name: string): boolean {
  return name.startsWith('[') || /^\d{1,3}(?:\.\d{1,3}){3}$/.test(name);
}
