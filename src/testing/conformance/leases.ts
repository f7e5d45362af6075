import type { Suite } from './suite.ts'; export function leases(_suite: Suite): void {}
